package gateway

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"
)

// contentSecurityPolicy is that of every answer which is no page: it may do
// nothing. Trusted Types turn making HTML or code of text into an error.
const contentSecurityPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// permissionsPolicy switches off what a chat without calls does not use.
const permissionsPolicy = "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), geolocation=(), " +
	"gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(), " +
	"screen-wake-lock=(), serial=(), usb=(), xr-spatial-tracking=()"

// secure puts on the headers that every answer carries, refusals too.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", contentSecurityPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Permissions-Policy", permissionsPolicy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// scriptPolicy is that of a script as the first of a worker, which takes its
// policy from its own answer: it loads its parts and nothing else.
const scriptPolicy = "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// nonceSlot is what the build writes where a page's nonce belongs.
const nonceSlot = "ALDABA-NONCE"

// pagePolicy lets a page run the scripts that carry its nonce and what they
// load, and talk to its own server, and nothing else. ancestors says who may
// frame it: 'none', or origins.
func pagePolicy(nonce, ancestors string) string {
	return "default-src 'none'; script-src 'nonce-" + nonce + "' 'strict-dynamic'; style-src 'self'; img-src 'self' blob:; " +
		"font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; " +
		"frame-ancestors " + ancestors + "; require-trusted-types-for 'script'; trusted-types aldaba-worker"
}

// withNonce fills a page's slots with a value that nobody can guess, and gives
// the page and the value.
func withNonce(page []byte) (filled []byte, nonce string) {
	var secret [16]byte
	rand.Read(secret[:])
	nonce = base64.RawURLEncoding.EncodeToString(secret[:])
	return []byte(strings.ReplaceAll(string(page), nonceSlot, nonce)), nonce
}
