// Talks to the server. An answer that is not a success becomes an error with its status and the server's words.

export class Failed extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function call(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Failed(0, "Not saved: the server does not answer. Press the key again once it runs.");
  }
  const body = await answer.json().catch(() => ({ error: `The server answered ${answer.status}.` }));
  if (!answer.ok) throw new Failed(answer.status, body.error ?? JSON.stringify(body));
  return body;
}

export const get = (path) => call(path);

export const post = (path, body) =>
  call(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
