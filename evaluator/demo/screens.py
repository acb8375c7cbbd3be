"""Screen content: a web page, a desktop, a dashboard and a code editor, drawn with Pillow."""

import re
from collections.abc import Iterator

from PIL import Image, ImageDraw

from evaluator.demo.brush import Box, curve, disc, landscape, panel, write


def paint_screens() -> Iterator[tuple[str, Image.Image]]:
    """Yield file names and screenshots of programs that do not exist."""
    for number, paint in enumerate((_web_page, _desktop, _dashboard, _code_editor)):
        yield f"SCI_drawn_{number:03}.png", paint()


def _web_page() -> Image.Image:
    image = Image.new("RGB", (480, 384), "#ffffff")
    panel(image, (0, 0, 480, 22), "#dee1e6")
    panel(image, (8, 4, 150, 30), "#ffffff", 6)
    disc(image, (20, 13), 4, "#1a9c74")
    write(image, (29, 17), "Wander - walks for all", 10, "#3c4043")
    panel(image, (0, 22, 480, 44), "#ffffff")
    panel(image, (58, 25, 420, 41), "#f1f3f4", 8)
    for x, sign in ((12, "<"), (30, ">")):
        write(image, (x, 38), sign, 13, "#5f6368")
    write(image, (70, 37), "https://wander.example/alps", 10, "#5f6368")
    hero = landscape((480, 132), ("#3b6fb6", "#f6c28b"), ("#5c7fa3", "#3d6b6b", "#23493f"))
    image.paste(hero, (0, 46))
    right = 196.0
    write(image, (24, 64), "WANDER", 12, "#ffffff", bold=0.5)
    for label in ("Routes", "Huts", "Weather", "Journal", "Sign in"):
        right = write(image, (right, 64), label, 11, "#ffffff") + 20
    write(image, (24, 112), "Find your next summit", 25, "#ffffff", bold=0.5)
    write(image, (24, 130), "1,240 marked trails across the Alps", 12, "#f4f7fb")
    panel(image, (24, 142, 120, 163), "#e4572e", 10)
    write(image, (72, 153), "Plan a walk", 11, "#ffffff", anchor="mm")
    write(image, (24, 202), "Popular this week", 15, "#1f2933", bold=0.3)
    write(image, (456, 202), "See all 86", 11, "#1a73e8", anchor="rs")
    _web_cards(image)
    panel(image, (0, 366, 480, 384), "#1f2933")
    write(image, (24, 379), "About   Help   Privacy", 10, "#cbd2d9")
    write(image, (456, 379), "English (UK)", 10, "#cbd2d9", anchor="rs")
    return image


def _web_cards(image: Image.Image) -> None:
    """Draw the three offers of the web page."""
    cards = (
        ("Blue Lake Loop", "9.4 km", "4.8", ("#7ec8e3", "#e8f6fb"), ("#4d8fac", "#2f6f8f")),
        ("Larch Ridge", "14.1 km", "4.6", ("#f7b267", "#fdebd3"), ("#c8693b", "#8a4224")),
        ("Old Salt Path", "6.7 km", "4.9", ("#a7c957", "#f2f7dc"), ("#6a994e", "#386641")),
    )
    for number, (title, length, stars, sky, hills) in enumerate(cards):
        left = 24 + number * 148
        panel(image, (left, 212, left + 136, 354), "#d9dee4", 6)
        panel(image, (left + 1, 213, left + 135, 353), "#ffffff", 5)
        image.paste(landscape((134, 68), sky, hills), (left + 1, 217))
        write(image, (left + 10, 302), title, 13, "#1f2933", bold=0.3)
        write(image, (left + 10, 318), f"{length}  -  half a day", 10, "#616e7c")
        panel(image, (left + 10, 328, left + 40, 344), "#fff4d6", 5)
        write(image, (left + 25, 336), stars, 10, "#9a6700", anchor="mm")
        write(image, (left + 126, 340), "Details", 11, "#1a73e8", anchor="rs")


def _desktop() -> Image.Image:
    image = landscape((511, 321), ("#2b1b5a", "#e0709a"), ("#6b3f86", "#47306b", "#2a1f4b"))
    panel(image, (0, 0, 511, 16), "#1b1530")
    end = 10.0
    for label in ("Files", "Edit", "View", "Window", "Help"):
        end = write(image, (end, 12), label, 10, "#f3effa", bold=0.3 * (end < 11)) + 12
    write(image, (501, 12), "Tue 14 May  09:41", 10, "#f3effa", anchor="rs")
    _window(image, (26, 34, 300, 222), "Documents", "#f7f7f9", "#3a3a44")
    panel(image, (26, 54, 98, 222), "#e9e9ef")
    for row, label in enumerate(("Home", "Documents", "Pictures", "Music", "Trash")):
        if label == "Documents":
            panel(image, (30, 80, 94, 96), "#4c7df0", 4)
        colour = "#ffffff" if label == "Documents" else "#3a3a44"
        write(image, (37, 72 + row * 20), label, 10, colour)
    folders = ("Invoices", "Letters", "Photos", "Recipes", "Taxes", "Travel")
    for number, label in enumerate(folders):
        x, y = 112 + number % 3 * 62, 70 + number // 3 * 68
        panel(image, (x + 4, y, x + 24, y + 10), "#3f86d8", 3)
        panel(image, (x + 4, y + 4, x + 46, y + 34), "#5aa5f2", 4)
        write(image, (x + 25, y + 47), label, 10, "#3a3a44", anchor="ms")
    _terminal(image)
    panel(image, (146, 286, 366, 315), "#cbb8dd", 9)
    icons = ("#f25f5c", "#ffb400", "#43aa8b", "#277da1", "#7b5cd6", "#f3f3f7")
    for number, colour in enumerate(icons):
        left = 157 + number * 34
        panel(image, (left, 290, left + 22, 312), colour, 6)
        panel(image, (left + 6, 296, left + 16, 306), "#2a1f4b", 2 + number % 2 * 3)
    return image


def _terminal(image: Image.Image) -> None:
    """Draw the desktop's front window."""
    _window(image, (216, 128, 486, 270), "Terminal", "#14161f", "#e6e6ef", bar="#2b2e3d")
    lines = (
        ("#8be9a8", "anna@studio:~/song$ ls -l"),
        ("#d7dae5", "total 48"),
        ("#d7dae5", "-rw-r--r--  anna   2114  chorus.txt"),
        ("#d7dae5", "-rw-r--r--  anna  18930  demo.wav"),
        ("#7ab8ff", "drwxr-xr-x  anna   4096  takes"),
        ("#8be9a8", "anna@studio:~/song$ play demo.wav"),
        ("#ffd479", "playing  ######------  01:12 / 02:40"),
    )
    for row, (colour, text) in enumerate(lines):
        write(image, (226, 164 + row * 15), text, 11, colour)
    panel(image, (226, 258, 232, 267), "#e6e6ef")


def _window(
    image: Image.Image, box: Box, title: str, colour: str, ink: str, *, bar: str = "#dcdce4"
) -> None:
    """Draw an empty window with its title bar and three buttons."""
    left, top, right, bottom = box
    panel(image, (left - 1, top - 1, right + 1, bottom + 1), "#1d1730", 8)
    panel(image, box, colour, 7)
    panel(image, (left, top, right, top + 20), bar, 7)
    panel(image, (left, top + 10, right, top + 20), bar)
    for number, button in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        disc(image, (left + 12 + number * 13, top + 10), 4, button)
    write(image, ((left + right) / 2, top + 10), title, 11, ink, bold=0.2, anchor="mm")


def _dashboard() -> Image.Image:
    image = Image.new("RGB", (427, 333), "#f4f6fa")
    panel(image, (0, 0, 60, 333), "#152238")
    disc(image, (30, 22), 10, "#2ec4b6")
    for row, label in enumerate(("Today", "Sales", "Stock", "Staff", "Setup")):
        if row == 1:
            panel(image, (4, 72, 56, 94), "#27395a", 5)
        write(
            image, (30, 57 + row * 26), label, 11, "#ffffff" if row == 1 else "#9fb0cc", anchor="mm"
        )
    write(image, (74, 24), "Sales overview", 17, "#152238", bold=0.4)
    write(image, (415, 23), "1 Jan - 31 Dec 2025", 10, "#6b7a94", anchor="rs")
    tiles = (
        ("Revenue", "$84,120", "+12.4 %", "#1a9c74"),
        ("Orders", "3,207", "+4.1 %", "#1a9c74"),
        ("Returns", "2.8 %", "-0.6 %", "#d64545"),
    )
    for number, (label, value, change, colour) in enumerate(tiles):
        left = 74 + number * 116
        panel(image, (left, 36, left + 108, 84), "#ffffff", 6)
        write(image, (left + 10, 51), label, 10, "#6b7a94")
        write(image, (left + 10, 74), value, 17, "#152238", bold=0.4)
        write(image, (left + 99, 51), change, 10, colour, anchor="rs")
    _line_chart(image)
    _bar_chart(image)
    return image


def _line_chart(image: Image.Image) -> None:
    """Draw two years of sales into the middle of the dashboard."""
    panel(image, (74, 92, 414, 214), "#ffffff", 6)
    for number, label in enumerate(("0", "25k", "50k", "75k")):
        y = 194 - number * 24
        ImageDraw.Draw(image).line((108, y, 404, y), "#e3e8f0")
        write(image, (102, y), label, 9, "#8896ab", anchor="rm")
    for number, month in enumerate("JFMAMJJASOND"):
        write(image, (112 + number * 26, 206), month, 9, "#8896ab", anchor="ms")
    series = (
        ("2024", "#b6c2d6", (18, 22, 20, 27, 31, 30, 38, 36, 41, 44, 47, 58)),
        ("2025", "#3366ff", (24, 29, 34, 31, 42, 49, 46, 57, 60, 71, 66, 84)),
    )
    for number, (year, colour, values) in enumerate(series):
        points = [(112.0 + 26 * i, 194 - value * 0.96) for i, value in enumerate(values)]
        curve(image, points, colour, 2)
        for place in points:
            disc(image, (round(place[0]), round(place[1])), 2, colour)
        panel(image, (116 + number * 50, 101, 126 + number * 50, 105), colour, 2)
        write(image, (130 + number * 50, 107), year, 10, "#152238")


def _bar_chart(image: Image.Image) -> None:
    """Draw the shares of five shops into the foot of the dashboard."""
    panel(image, (74, 222, 414, 326), "#ffffff", 6)
    write(image, (84, 238), "Orders by shop", 12, "#152238", bold=0.3)
    shops = (("Lyon", 940), ("Turin", 812), ("Basel", 655), ("Graz", 498), ("Trento", 302))
    colours = ("#3366ff", "#2ec4b6", "#ff9f1c", "#e4572e", "#8367c7")
    for row, ((shop, orders), colour) in enumerate(zip(shops, colours, strict=True)):
        y = 252 + row * 15
        write(image, (118, y), shop, 10, "#42526b", anchor="rm")
        panel(image, (124, y - 5, 380, y + 5), "#eef1f6", 3)
        panel(image, (124, y - 5, 124 + round(orders * 0.26), y + 5), colour, 3)
        write(image, (406, y), str(orders), 10, "#152238", anchor="rm")


_CODE = '''\
from math import hypot

class Boat:
    """A sail boat on a lake."""

    def __init__(self, name, x=0, y=0):
        self.name = name
        self.x, self.y = x, y

    def move(self, dx, dy):
        # the wind never rests
        self.x += dx * 0.75
        self.y += dy * 0.75
        return hypot(self.x, self.y)

swift = Boat("Swift", 3, 4)
for hour in range(12):
    far = swift.move(hour, 2)
    print(f"{hour}: {far:.1f} km")
'''

_TOKENS = re.compile(
    r'(?P<comment>#.*)|(?P<text>f?"""?[^"]*"""?|f?"[^"]*")|(?P<number>\b\d[\d.]*\b)'
    r"|(?P<keyword>\b(?:from|import|class|def|return|for|in|self)\b)"
    r"|(?P<name>\b\w+(?=\())|(?P<rest>\s+|\w+|.)"
)
_INK = {
    "comment": "#6a9955",
    "text": "#ce9178",
    "number": "#b5cea8",
    "keyword": "#569cd6",
    "name": "#dcdcaa",
    "rest": "#d4d4d4",
}


def _code_editor() -> Image.Image:
    image = Image.new("RGB", (401, 320), "#1e1e1e")
    panel(image, (0, 0, 401, 22), "#2d2d2d")
    panel(image, (90, 0, 168, 22), "#1e1e1e")
    write(image, (100, 15), "boat.py", 11, "#ffffff")
    write(image, (156, 15), "x", 11, "#8a8a8a")
    write(image, (180, 15), "lake.py", 11, "#8a8a8a")
    panel(image, (0, 22, 90, 304), "#252526")
    write(image, (10, 38), "EXPLORER", 9, "#bbbbbb")
    panel(image, (0, 61, 90, 77), "#37373d")
    for row, file in enumerate(("regatta", "boat.py", "lake.py", "wind.py", "README.md")):
        write(image, (10 + 8 * (row > 0), 56 + row * 16), file, 11, "#cccccc")
    panel(image, (90, 250, 401, 265), "#2a2d2e")
    for row, line in enumerate(_CODE.splitlines()):
        y = 38 + row * 14
        write(image, (112, y), str(row + 1), 10, "#6e7681", anchor="rs")
        x = 122.0
        for token in _TOKENS.finditer(line):
            x = write(image, (x, y), token[0], 11, _INK[token.lastgroup or "rest"])
            if token.lastgroup != "rest" or token[0].strip():
                # The preview of the whole file at the right edge.
                near = (344 + token.start() * 1.2, 30 + row * 3)
                far = (344 + token.end() * 1.2, near[1] + 2)
                ImageDraw.Draw(image).rectangle((*near, *far), _INK[token.lastgroup or "rest"])
    panel(image, (0, 304, 401, 320), "#007acc")
    write(image, (8, 316), "main   0 errors   1 warning", 10, "#ffffff")
    write(image, (393, 316), "Ln 17, Col 10   UTF-8   Python", 10, "#ffffff", anchor="rs")
    return image
