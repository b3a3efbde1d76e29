(() => {
  'use strict';
  const doc = document;
  const one = (selector, from = doc) => from.querySelector(selector);
  const all = (selector, from = doc) => Array.from(from.querySelectorAll(selector));
  const on = (name, act, place = doc) => place.addEventListener(name, act);
  const words = doc.body.dataset;

  const say = (text) => {
    const place = one('#say');
    if (place) place.textContent = text;
  };

  const notice = (text, label, act) => {
    const place = one('#notice');
    if (!place) return;
    place.textContent = '';
    if (!text) return;
    const box = place.appendChild(doc.createElement('div'));
    box.className = 'note bad';
    box.appendChild(doc.createElement('p')).textContent = text;
    const button = box.appendChild(doc.createElement('button'));
    button.className = 'btn';
    button.type = 'button';
    button.textContent = label;
    on('click', () => { notice(''); if (act) act(); }, button);
  };

  // Requests that could not be answered. The page stays as it is.
  const press = (source) => () => {
    if (!source.isConnected) location.reload();
    else if (source.requestSubmit) source.requestSubmit();
    else source.click();
  };
  on('htmx:response:error', (event) => {
    const { response, sourceElement } = event.detail.ctx;
    if (response.status < 500 || sourceElement.matches('[data-poll]')) return;
    const reference = response.headers.get('x-request-id');
    notice(words.trouble + (reference ? ' ' + reference : ''), words.again, press(sourceElement));
  });
  on('htmx:error', (event) => {
    const { ctx } = event.detail;
    if (ctx && !ctx.response && !ctx.sourceElement.matches('[data-poll]')) notice(words.unsent, words.again, press(ctx.sourceElement));
  });
  const offline = () => all('[data-offline]').forEach((mark) => { mark.hidden = navigator.onLine; });
  on('online', offline, window);
  on('offline', offline, window);

  // The pressed button says that it works, but only when that takes long enough to wonder.
  on('htmx:before:request', (event) => {
    const { ctx } = event.detail;
    if (doc.hidden && ctx.sourceElement.matches('[data-poll]')) {
      event.preventDefault();
      ctx.sourceElement.dataset.slept = '1';
      return;
    }
    const button = ctx.request.submitter || one('[data-busy]', ctx.sourceElement);
    if (!button || !button.dataset.busy) return;
    notice('');
    const label = button.textContent;
    ctx.busy = setTimeout(() => {
      button.textContent = button.dataset.busy;
      say(button.dataset.busy);
      ctx.restore = () => { button.textContent = label; say(''); };
    }, 200);
  });
  on('htmx:finally:request', (event) => {
    const { ctx } = event.detail;
    clearTimeout(ctx.busy);
    if (ctx.restore && !ctx.keepIndicators) ctx.restore();
  });
  on('visibilitychange', () => {
    if (doc.hidden) all('[data-poll]').forEach((part) => window.htmx.trigger(part, 'htmx:abort'));
    else all('[data-slept]').forEach((part) => { delete part.dataset.slept; window.htmx.trigger(part, 'wake'); });
  });

  // Focus goes where the news is, and is never lost to the body; a poll does not move it.
  on('htmx:after:swap', (event) => {
    const { target, sourceElement } = event.detail.ctx;
    ready(doc);
    if (!target || sourceElement.matches('[data-poll]')) return;
    const part = typeof target === 'string' ? one(target) : (target.id && doc.getElementById(target.id)) || target;
    if (one('.summary', part)) {
      if (!doc.title.startsWith(words.error)) doc.title = words.error + ' ' + doc.title;
      (one('[aria-invalid]', part) || one('.summary', part)).focus();
      return;
    }
    const heading = one('h1', part) || (doc.activeElement === doc.body && (one('[data-focus], h2, h3', part) || part));
    if (!heading) return;
    if (!heading.hasAttribute('tabindex')) heading.tabIndex = -1;
    heading.focus();
  });

  const acts = {
    show(button) {
      const field = doc.getElementById(button.dataset.show);
      const shown = field.type === 'password';
      const label = button.textContent;
      field.type = shown ? 'text' : 'password';
      button.textContent = button.dataset.hide;
      button.dataset.hide = label;
      button.setAttribute('aria-pressed', shown);
    },
    copy(button) {
      navigator.clipboard.writeText(button.dataset.copy).then(() => {
        const label = button.textContent;
        button.textContent = button.dataset.done;
        say(button.dataset.done);
        setTimeout(() => { button.textContent = label; }, 2000);
      });
    },
    print() { window.print(); },
    close(button) { button.closest('dialog').close(); },
    dialog(link, event) {
      const box = doc.getElementById(link.dataset.dialog);
      if (!box || !box.showModal) return;
      event.preventDefault();
      box.showModal();
    },
    stay(button) {
      fetch(button.dataset.stay, { redirect: 'manual' }).then((answer) => {
        if (!answer.ok) { location.reload(); return; }
        button.closest('dialog').close();
        watch();
      }, () => notice(words.unsent, words.again, () => button.click()));
    },
  };
  on('click', (event) => {
    const pressed = event.target.closest('[data-show], [data-copy], [data-print], [data-close], [data-dialog], [data-stay]');
    if (pressed) Object.keys(acts).filter((name) => name in pressed.dataset).forEach((name) => acts[name](pressed, event));
    else if (event.target.matches('dialog')) event.target.close();
  });

  // Buttons that only the script can work are hidden until it is here.
  function ready(part) {
    all('[data-show], [data-print]', part).forEach((button) => { button.hidden = false; });
    if (navigator.clipboard) all('[data-copy]', part).forEach((button) => { button.hidden = false; });
  }

  // The theme can be seen while it is chosen.
  on('change', (event) => { if (event.target.name === 'theme') doc.documentElement.dataset.theme = event.target.value; });

  // What a slider stands at, in the number field beside it.
  on('input', (event) => {
    const { fills } = event.target.dataset;
    if (fills) doc.getElementById(fills).value = event.target.value;
  });

  // Two minutes before the sign-in ends: one button to stay.
  let warning;
  const typed = () => all('main input:not([type=hidden]), main textarea').some((field) => field.value !== field.defaultValue);
  function watch() {
    const box = one('[data-ends]');
    if (!box || !box.showModal) return;
    clearTimeout(warning);
    warning = setTimeout(() => {
      box.showModal();
      // What was typed stays: sent after the end, it is kept and offered again after the next sign-in.
      warning = setTimeout(() => { if (typed()) box.close(); else location.reload(); }, 125000);
    }, (box.dataset.ends - 120) * 1000);
  }
  on('htmx:after:request', (event) => { if (!event.detail.ctx.sourceElement.matches('[data-poll]')) watch(); });

  // Back after sign-out must not show what was there before.
  on('pageshow', (event) => {
    if (!event.persisted) return;
    const heading = one('h1');
    if (heading) heading.focus();
    if (words.alive) fetch(words.alive).then((answer) => { if (answer.status > 400 && answer.status < 500) location.reload(); }, () => 0);
  }, window);

  ready(doc);
  offline();
  watch();
})();
