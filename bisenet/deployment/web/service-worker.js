// Adds the headers to the page's own files that a plain server leaves out: those by which a browser grants threads
// (cross-origin isolation), and the page's policy, which a worker else would not have. It stores nothing, and takes
// itself away where another page is served from the same address later.

const policy = new URL(location.href).searchParams.get("policy");
const HEADERS = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Content-Security-Policy": policy,
};

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  if (new URL(event.request.url).origin === location.origin) event.respondWith(withHeaders(event.request));
});

async function withHeaders(request) {
  const response = await fetch(request, { cache: "no-cache" }); // else a new export could meet an old network
  if (response.status === 0) return response; // a redirect, which the browser follows itself
  if (request.mode === "navigate" && !(await response.clone().text()).includes(policy)) {
    await registration.unregister();
    return response;
  }
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
