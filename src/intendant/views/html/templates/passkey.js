// Has an authenticator answer what the form asks, then sends the form with the answer. Rejecting needs none.
(() => {
  const form = document.querySelector("form[data-passkey]");
  const note = document.getElementById("passkey-note");
  if (!form) return;
  const say = (text, bad) => {
    note.className = `alert ${bad ? "bad" : "warn"}`;
    note.textContent = text;
  };
  say("", false); // it said that no script runs
  const reasons = {
    NotAllowedError: "The authenticator did not confirm that it is you, or it took too long. Nothing was recorded; try again.",
    InvalidStateError: "This authenticator is enrolled already. Use another one.",
    NotSupportedError: "This authenticator cannot do it. Use another one.",
  };
  let waiting = false;
  form.addEventListener("submit", async (event) => {
    const button = event.submitter;
    if (button?.value === "reject" || form.elements.passkey.value) return;
    event.preventDefault();
    if (waiting) return;
    if (!globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON) {
      say("This browser is too old for it. Nothing was recorded.", true);
      return;
    }
    waiting = true;
    say("Waiting for your authenticator: touch it, or unlock it.", false);
    try {
      const asked = JSON.parse(form.dataset.passkey);
      const answer = await (asked.user
        ? navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked) })
        : navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked) }));
      form.elements.passkey.value = JSON.stringify(answer.toJSON());
      form.requestSubmit(button);
    } catch (error) {
      say(reasons[error.name] ?? `It failed: ${error.message} Nothing was recorded.`, true);
    } finally {
      waiting = false;
    }
  });
})();
