(() => {
  'use strict';
  const doc = document;
  const all = (selector, from = doc) => Array.from(from.querySelectorAll(selector));
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (sign) => sign.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

  // A passkey belongs to a name, never to a bare address.
  const able = window.isSecureContext && window.PublicKeyCredential && navigator.credentials
    && !/^\[|^[\d.]+$/.test(location.hostname);
  if (!able) return;

  const unpack = (options) => {
    const known = (list) => (list || []).map((one) => Object.assign({}, one, { id: bytes(one.id) }));
    const ready = Object.assign({}, options, { challenge: bytes(options.challenge) });
    if (options.user) ready.user = Object.assign({}, options.user, { id: bytes(options.user.id) });
    if (options.allowCredentials) ready.allowCredentials = known(options.allowCredentials);
    if (options.excludeCredentials) ready.excludeCredentials = known(options.excludeCredentials);
    return ready;
  };
  const pack = (made) => {
    const { response } = made;
    const said = { clientDataJSON: text(response.clientDataJSON) };
    ['attestationObject', 'authenticatorData', 'signature', 'userHandle'].forEach((name) => {
      if (response[name]) said[name] = text(response[name]);
    });
    if (response.getTransports) said.transports = response.getTransports();
    return JSON.stringify({
      id: made.id,
      rawId: text(made.rawId),
      type: made.type,
      response: said,
      clientExtensionResults: made.getClientExtensionResults(),
    });
  };

  function go(box) {
    const form = box.querySelector('form');
    const button = box.querySelector('button');
    const failed = box.querySelector('[data-passkey-failed]');
    failed.hidden = true;
    if (!form.reportValidity()) return;
    button.disabled = true;
    const asked = { publicKey: unpack(JSON.parse(box.dataset.options)) };
    navigator.credentials[box.dataset.passkey](asked).then((made) => {
      form.elements.passkey.value = pack(made);
      button.disabled = false;
      if (form.requestSubmit) form.requestSubmit();
      else form.submit();
    }).catch(() => {
      button.disabled = false;
      failed.hidden = false;
      failed.focus();
    });
  }

  function ready() {
    all('[data-passkey-missing]').forEach((words) => { words.hidden = true; });
    all('[data-passkey]').forEach((box) => {
      if (!box.hidden) return;
      box.hidden = false;
      if ('now' in box.dataset) go(box);
    });
  }

  // A form without an answer asks for one first; with it, it goes on its way.
  doc.addEventListener('submit', (event) => {
    const box = event.target.closest('[data-passkey]');
    if (!box || event.target.elements.passkey.value) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    go(box);
  }, true);
  doc.addEventListener('htmx:after:swap', ready);
  ready();
})();
