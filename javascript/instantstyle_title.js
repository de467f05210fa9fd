// Says what is given: the accordion's title, with a thumbnail, and a hint on panoramas. Looks once a second, and after each
// change.

(() => {
    "use strict";

    const TICK_MS = 1000; // between looks at what the page shows
    const SEEN = 0.66; // of a picture: less is worth a hint, 3:2 is not
    const TABS = ["txt2img", "img2img"];

    const root = () => (typeof gradioApp === "function" ? gradioApp() : document);
    const byId = (id) => root().querySelector(`#${CSS.escape(id)}`);
    const idOf = (tab, name) => `script_${tab}_instantstyle_${name}`;

    // --- the title says what is active

    function valueOf(tab, name) {
        const selector = "input[type=number], textarea, input"; // a slider's number before its range
        return byId(idOf(tab, name))?.querySelector(selector)?.value ?? "";
    }

    function weights(tab, preset) {
        const [style, layout] = ["style_weight", "layout_weight"].map((name) => Number(valueOf(tab, name)).toFixed(1));
        if (preset === "Layout") return layout;
        return preset === "Style + layout" ? `${style}/${layout}` : style;
    }

    function summary(tab) {
        if (!byId(`${idOf(tab, "enabled")}-visible-checkbox`)?.checked) return [];
        const preset = valueOf(tab, "preset").replace(/ \(.*/, "");
        const method = valueOf(tab, "method");
        const hasAdapter = method !== "No adapter";
        const removes = hasAdapter && Number(valueOf(tab, "content_strength"));
        const content = removes ? valueOf(tab, "content").split(/[,;，、；\n]/) : [];
        const removed = content.map((words) => words.trim()).filter(Boolean).map((words) => `−${words}`);
        const by = [method !== "Adapter" && method, hasAdapter && `${preset} ${weights(tab, preset)}`];
        const style = [valueOf(tab, "style"), ...by, ...removed];
        return [...style.map((text) => text && [text]), ...counts(tab)].filter(Boolean);
    }

    const imagesIn = (id) => byId(id)?.querySelectorAll("img").length ?? 0;
    const references = (id) => Math.min(imagesIn(id), 1) + imagesIn(`${id}s`); // in the box, and in the gallery of others

    // What is given beyond one reference, each in pieces. Pictures from earlier are there while no new ones are.
    function counts(tab) {
        const earlier = [...(byId(idOf(tab, "earlier"))?.querySelectorAll("button") ?? [])];
        const count = (name, there) => there + earlier.filter((each) => each.dataset.name.startsWith(name)).length;
        const number = count("reference", references(idOf(tab, "image")));
        const regions = count("mask", imagesIn(idOf(tab, "masks")));
        const given = ["layout", "negative", "subject"].filter((role) => count(role, imagesIn(idOf(tab, `${role}_image`))));
        return [
            number > 1 && [`${number} `, "references"],
            ...given.map((role) => [role]),
            regions && (regions > 1 ? [`${regions} `, "regions"] : ["region"]),
        ];
    }

    // Each piece in an element of its own, so that the host can translate the words.
    function write(place, parts) {
        const pieces = parts.flatMap((part, index) => (index ? [" · ", ...part] : part));
        const text = pieces.join("");
        if (place.dataset.text === text) return;
        place.dataset.text = text;
        const made = (textContent) => Object.assign(document.createElement("span"), {textContent});
        place.replaceChildren(...pieces.map(made));
    }

    function thumbnail(tab) {
        const shown = ["image", "earlier"].map((name) => byId(idOf(tab, name))?.querySelector("img"));
        return shown.find(Boolean)?.src ?? "";
    }

    function titled(tab) {
        const header = byId(idOf(tab, "enabled"))?.querySelector(".label-wrap");
        if (!header) return;
        let place = header.querySelector(".instantstyle-summary");
        if (!place) {
            place = Object.assign(document.createElement("span"), {className: "instantstyle-summary"});
            place.append(document.createElement("img"), document.createElement("span"));
            header.insertBefore(place, header.lastElementChild);
        }
        const [picture, words] = place.children;
        const parts = summary(tab);
        const source = parts.length ? thumbnail(tab) : "";
        write(words, parts);
        if (place.hidden === Boolean(parts.length)) place.hidden = !parts.length;
        if (picture.hidden === Boolean(source)) picture.hidden = !source;
        if (source && picture.src !== source) picture.src = source;
    }

    // --- a hint where the encoder would see little of a panorama

    function hinted(tab) {
        const hint = byId(idOf(tab, "cropped"))?.querySelector("[data-crop]");
        if (!hint) return;
        const {naturalWidth: width, naturalHeight: height} = byId(idOf(tab, "image"))?.querySelector("img") ?? {};
        const share = width ? Math.min(width, height) / Math.max(width, height) : 1;
        hint.hidden = share >= SEEN || valueOf(tab, "crop") !== hint.dataset.crop;
        const [number, percent] = [hint.querySelector("b"), `${Math.round(share * 100)} %`];
        if (number.textContent !== percent) number.textContent = percent;
    }

    function tick() {
        TABS.forEach(titled);
        TABS.forEach(hinted);
    }

    setInterval(tick, TICK_MS);
    for (const change of ["input", "change"]) document.addEventListener(change, tick);
})();
