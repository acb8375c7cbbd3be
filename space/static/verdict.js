// Who leads under another weighting than the board's; of chance nothing is known there.

const DOUBT = "This is under your weighting, which is not the board's.";

// Ranks share a place where Overalls are equal; `digits` are the decimals of a score.
export function verdictOf({ overall, model, partner, rank }, digits) {
  const ranked = rank.map((_, i) => i).filter((i) => rank[i] !== null);
  ranked.sort((a, b) => rank[a] - rank[b]);
  const [first, second] = ranked;
  if (second === undefined) return { lead: "", doubt: "" };
  const name = (index, other) =>
    model[index] === model[other] ? `${model[index]} with ${partner?.[index] ?? "another"}` : model[index];
  const leaders = ranked.filter((i) => rank[i] === 1).length;
  if (leaders > 1) {
    const others = leaders === 2 ? name(second, first) : `${leaders - 1} others`;
    return { lead: `${name(first, second)} and ${others} share the lead.`, doubt: DOUBT };
  }
  const lead = (overall[first] - overall[second]).toFixed(digits);
  return { lead: `${name(first, second)} leads by ${lead} before ${name(second, first)}.`, doubt: DOUBT };
}
