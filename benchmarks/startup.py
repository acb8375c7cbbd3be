"""How long the light entries take to start: `cmc --help` and `import app`, beside bare Python.

python benchmarks/startup.py
"""

import statistics
import subprocess
import sys
import time

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "cmc --help": ["-m", "evaluator", "--help"],
    "import app": ["-c", "import app"],
    "import gradio": ["-c", "import gradio"],
}


def main() -> None:
    """Print the median of seven starts of each, and its ratio to bare Python."""
    medians = {}
    for name, arguments in COMMANDS.items():
        times = []
        for _ in range(8):
            started = time.perf_counter()
            subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
            times.append(time.perf_counter() - started)
        medians[name] = statistics.median(times[1:])
        ratio = medians[name] / medians["python -c pass"]
        print(f"{name:<16} {medians[name]:6.3f} s  {ratio:6.1f} x")


if __name__ == "__main__":
    main()
