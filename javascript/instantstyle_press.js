// Presses a hidden button soon, and again if that was asked for while its handler ran: gradio drops an event whose
// handler is still running, and would send one for each step of a slider's drag. The globals are instantstylePress,
// instantstylePressOnce and instantstylePressed, for gradio's js.

(() => {
    "use strict";

    const WAIT_MS = 120; // what is asked for within this time is one press
    const ANSWER_MS = 20000; // after this the handler is not waited for
    const states = new Map(); // button's id -> {due, busy, timer}
    const texts = new Map(); // button's id -> the last text

    const root = () => (typeof gradioApp === "function" ? gradioApp() : document);

    function start(id, state) {
        if (state.busy || !state.due || state.timer) return;
        state.timer = setTimeout(press, WAIT_MS, id, state);
    }

    function press(id, state) {
        const button = root().querySelector(`#${CSS.escape(id)}`);
        Object.assign(state, {due: false, busy: Boolean(button)});
        state.timer = setTimeout(window.instantstylePressed, ANSWER_MS, id);
        button?.click();
    }

    window.instantstylePress = (id) => {
        if (!states.has(id)) states.set(id, {due: false, busy: false, timer: 0});
        const state = states.get(id);
        state.due = true;
        start(id, state);
    };

    // Only where the text differs from the last one.
    window.instantstylePressOnce = (id, text) => {
        const before = texts.get(id) ?? "";
        texts.set(id, text);
        if (text !== before) window.instantstylePress(id);
    };

    // The handler has answered.
    window.instantstylePressed = (id) => {
        const state = states.get(id);
        if (!state) return;
        clearTimeout(state.timer);
        Object.assign(state, {busy: false, timer: 0});
        start(id, state);
    };
})();
