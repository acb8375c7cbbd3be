// Who leads when consistency and perception count otherwise: a slider, two presets, a strip.

import { announce, button, make } from "./dom.js";

const PRESETS = [
  { text: "2 : 1", share: 2 / 3, title: "The paper's weighting of T2I models" },
  { text: "1 : 1", share: 1 / 2, title: "The paper's weighting of I2T models" },
];

export class WeightSlider {
  // `choose(share)` is called with the share of consistency, null for the board's own.
  constructor(own, choose) {
    this.own = own;
    this.node = make("div", "slider");
    this.label = make("label", "weights-label", "Consistency : perception");
    this.slider = make("input");
    this.slider.type = "range";
    this.slider.id = "weight";
    this.label.htmlFor = "weight";
    Object.assign(this.slider, { min: 0, max: 100, step: 1 });
    this.slider.addEventListener("input", () => choose(Number(this.slider.value) / 100));
    this.value = make("output", "weights-value");
    this.strip = make("div", "strip");
    this.presets = PRESETS.map(({ text, share, title }) => {
      const isOwn = Math.abs(share - own) < 1e-9;
      const preset = button("preset", text, () => choose(isOwn ? null : share), title);
      if (isOwn) preset.append(" ", make("span", "tag", "this board"));
      preset.share = share;
      return preset;
    });
    const track = make("div", "weights-track");
    track.append(this.slider, this.strip);
    const buttons = make("div", "presets");
    buttons.append(...this.presets);
    this.node.append(this.label, track, this.value, buttons);
  }

  show(share, leads) {
    this.slider.value = String(Math.round(share * 100));
    const percent = Math.round(share * 100);
    const text = `${percent} % consistency, ${100 - percent} % perception`;
    announce(this.value, text);
    this.slider.setAttribute("aria-valuetext", text);
    for (const preset of this.presets) {
      preset.setAttribute("aria-pressed", String(Math.abs(preset.share - share) < 1e-3));
    }
    this.strip.replaceChildren(
      ...leads.map(({ model: name, weight_low: start, weight_high: end }) => {
        const piece = make("span", "lead");
        piece.append(make("bdi", "", name));
        piece.style.flexGrow = String(Math.max(end - start, 0.001));
        piece.classList.toggle("now", share >= start - 1e-9 && share <= end + 1e-9);
        const range = `${Math.round(100 * start)} % to ${Math.round(100 * end)} %`;
        piece.title = `${name} leads from ${range} consistency`;
        return piece;
      }),
    );
    this.node.hidden = leads.length === 0;
  }
}
