/** The only script of the pages: asks for the options, has the browser use a passkey, and sends the form with the answer. */
export const PASSKEY_SCRIPT = `"use strict";
for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("button");
  const status = form.querySelector("[role=status]");
  const usable = typeof PublicKeyCredential === "function" && "parseCreationOptionsFromJSON" in PublicKeyCredential;
  if (!usable) {
    button.disabled = true;
    status.textContent = isSecureContext
      ? "This browser is too old for passkeys: update it, or use another one."
      : "Passkeys need a secure address: https, or http://localhost on this machine.";
    continue;
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    status.textContent = "Waiting for your device…";
    try {
      form.elements.credential.value = JSON.stringify(await usePasskey(form));
      form.submit();
    } catch (error) {
      status.textContent = explain(error);
      button.disabled = false;
    }
  });
}
addEventListener("pageshow", (event) => event.persisted && location.reload());

async function usePasskey(form) {
  const body = new URLSearchParams(new FormData(form));
  const reply = await fetch(form.dataset.options, { method: "POST", body });
  const answer = await reply.json();
  if (!reply.ok) throw new Error(answer.detail + " " + answer.next);
  const credential =
    form.dataset.passkey === "create"
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(answer) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(answer) });
  return credential.toJSON();
}

function explain(error) {
  if (error.name === "NotAllowedError") return "No passkey was used. Try again, or choose another way.";
  if (error.name === "InvalidStateError") return "This device has a passkey for this user already: sign in with it.";
  if (error.name === "SecurityError") return "Passkeys do not work at this address.";
  if (error.name === "TypeError") return "The server could not be reached. Try again.";
  return error.message;
}
`;
