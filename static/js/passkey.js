// Passkeys: hand the page's options to the browser, and its answer back in the form. The form stays hidden without them.
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const known = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

function asked(options) {
  const key = { ...options.publicKey, challenge: bytes(options.publicKey.challenge) };
  if (key.user) key.user = { ...key.user, id: bytes(key.user.id) };
  if (key.allowCredentials) key.allowCredentials = known(key.allowCredentials);
  if (key.excludeCredentials) key.excludeCredentials = known(key.excludeCredentials);
  return { publicKey: key };
}

function said(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
    if (credential.response[name]) response[name] = text(credential.response[name]);
  return JSON.stringify({
    id: credential.id, rawId: text(credential.rawId), type: credential.type, response,
    clientExtensionResults: {}, authenticatorAttachment: credential.authenticatorAttachment,
  });
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const complaint = form.querySelector("[role=alert]");
  form.hidden = !window.PublicKeyCredential;
  form.addEventListener("submit", async (event) => {
    if (form.elements.passkey.value) return;
    event.preventDefault();
    complaint.hidden = true;
    try {
      const answer = await navigator.credentials[form.dataset.passkey](asked(JSON.parse(form.dataset.options)));
      form.elements.passkey.value = said(answer);
      form.submit();
    } catch (error) {
      complaint.textContent =
        error.name === "InvalidStateError" ? "这台设备上的通行密钥已经绑定过。" : "没有完成，可以再试一次，或改用验证码。";
      complaint.hidden = false;
    }
  });
}
