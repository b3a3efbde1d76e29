// Reads a code with the camera or from a photo, where the browser can; the picture never leaves the phone.
(() => {
  'use strict';
  const box = document.querySelector('[data-scan]');
  if (!box || !window.BarcodeDetector) return;
  const [camera, photo, view, none] = ['camera', 'photo', 'view', 'none'].map((part) => box.querySelector(`[data-scan-${part}]`));
  const detector = new window.BarcodeDetector();
  let stream = null;

  // A QR code may hold an address with the code at its end.
  const code = (text) => (text.toUpperCase().replace(/[\s-]/g, '').match(/[0-9A-Z]{12,16}$/) || [])[0];
  const stop = () => {
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = null;
    view.hidden = true;
  };
  const fail = () => {
    stop();
    none.hidden = false;
  };
  const read = (picture) => detector.detect(picture).then((all) => {
    const found = all.map((one) => code(one.rawValue)).find(Boolean);
    if (!found) return false;
    stop();
    none.hidden = true;
    const field = document.getElementById('code');
    field.value = found;
    field.focus();
    return true;
  });
  const watch = () => {
    if (stream) read(view).then((found) => found || setTimeout(watch, 250)).catch(fail);
  };

  camera.addEventListener('click', () => {
    if (stream) {
      stop();
      return;
    }
    none.hidden = true;
    navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } }).then((live) => {
      stream = live;
      view.srcObject = live;
      view.hidden = false;
      return view.play();
    }).then(watch).catch(fail);
  });
  photo.addEventListener('change', () => {
    stop();
    createImageBitmap(photo.files[0]).then(read).then((found) => found || fail()).catch(fail);
  });
  window.addEventListener('pagehide', stop);
  camera.hidden = !(navigator.mediaDevices && navigator.mediaDevices.getUserMedia);
  box.hidden = false;
})();
