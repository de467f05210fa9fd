// The helpers that the real host gives to extensions' scripts, and the few functions this page needs.

const uiLoadedCallbacks = [];
const uiUpdateCallbacks = [];
const uiAfterUpdateCallbacks = [];
const uiTabChangeCallbacks = [];
const optionsChangedCallbacks = [];
const optionsAvailableCallbacks = [];
let opts = {};
let uiIsLoaded = false;

function gradioApp() {
    const app = document.getElementsByTagName('gradio-app')[0];
    if (!app) return document;
    return app.shadowRoot || app;
}

function onUiLoaded(callback) { uiLoadedCallbacks.push(callback); }
function onUiUpdate(callback) { uiUpdateCallbacks.push(callback); }
function onAfterUiUpdate(callback) { uiAfterUpdateCallbacks.push(callback); }
function onUiTabChange(callback) { uiTabChangeCallbacks.push(callback); }
function onOptionsChanged(callback) { optionsChangedCallbacks.push(callback); }
function onOptionsAvailable(callback) { optionsAvailableCallbacks.push(callback); }

function callAll(callbacks, argument) {
    for (const callback of callbacks) {
        try {
            callback(argument);
        } catch (error) {
            console.error('callback failed', callback, error);
        }
    }
}

function updateInput(target) {
    target.dispatchEvent(new Event('input', {bubbles: true}));
}

// --- accordions that are values: a hidden checkbox, an accordion, and a visible checkbox in its header

function inputAccordionChecked(id, checked) {
    const visible = document.getElementById(`${id}-visible-checkbox`);
    const header = document.querySelector(`#${id} > .label-wrap`);
    if (visible) visible.checked = checked;
    if (header && header.classList.contains('open') !== checked) header.click();
}

function setUpInputAccordion(accordion) {
    const header = accordion.querySelector('.label-wrap');
    const hidden = document.querySelector(`#${accordion.id}-checkbox input`);
    if (!header || !hidden || document.getElementById(`${accordion.id}-visible-checkbox`)) return;
    const visible = document.createElement('input');
    visible.type = 'checkbox';
    visible.id = `${accordion.id}-visible-checkbox`;
    visible.className = 'input-accordion-checkbox';
    visible.checked = header.classList.contains('open');
    const follow = () => {
        const open = header.classList.contains('open');
        visible.checked = open;
        if (hidden.checked !== open) hidden.click();
    };
    new MutationObserver(follow).observe(header, {attributes: true, attributeFilter: ['class']});
    visible.addEventListener('click', (event) => {
        event.stopPropagation();
        if (hidden.checked !== visible.checked) hidden.click();
        inputAccordionChecked(accordion.id, visible.checked);
    });
    header.insertBefore(visible, header.firstChild);
    const extra = document.getElementById(`${accordion.id}-extra`);
    if (extra) header.insertBefore(extra, header.lastChild);
}

// --- galleries and settings

function selectedGalleryIndex(gallery) {
    const buttons = [...gallery.querySelectorAll('.thumbnail-item, .thumbnails > .thumbnail-item')];
    return Math.max(0, buttons.findIndex((button) => button.classList.contains('selected')));
}

function selectedPicture(pictures, info) {
    const visible = [...document.querySelectorAll('[id$="_gallery"]')].find((e) => e.offsetParent !== null);
    const index = visible ? selectedGalleryIndex(visible) : 0;
    return [pictures && pictures.length ? [pictures[Math.min(index, pictures.length - 1)]] : pictures, info];
}

function restartReload() {
    const wait = () => fetch('./internal/ping').then(() => location.reload()).catch(() => setTimeout(wait, 500));
    setTimeout(wait, 2500);
    return [];
}

async function readOptions() {
    const response = await fetch('./sdapi/v1/options');
    if (!response.ok) return;
    opts = await response.json();
    callAll(optionsAvailableCallbacks);
    callAll(optionsChangedCallbacks);
}

document.addEventListener('DOMContentLoaded', () => {
    let timer = null;
    new MutationObserver((mutations) => {
        for (const accordion of document.querySelectorAll('.input-accordion')) setUpInputAccordion(accordion);
        if (!uiIsLoaded && gradioApp().querySelector('#txt2img_prompt')) {
            uiIsLoaded = true;
            callAll(uiLoadedCallbacks);
            readOptions();
        }
        callAll(uiUpdateCallbacks, mutations);
        clearTimeout(timer);
        timer = setTimeout(() => callAll(uiAfterUpdateCallbacks), 200);
    }).observe(document.body, {childList: true, subtree: true});
    document.body.addEventListener('click', (event) => {
        if (event.target.closest('#tabs > .tab-nav button')) callAll(uiTabChangeCallbacks);
    });
});
