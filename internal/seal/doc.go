// Package seal is the cryptographic core of sealed conversations, as written
// in protocol/SPEC.md. It holds the primitives of sections 2 and 4: the checks
// of public keys (K1, K2, K19), the one signature input, the wrap of a secret to a
// recipient (W4), key derivation, the sealed body with its padding and
// commitment (V8, V9, V10), the log's running hash and the safety number.
//
// It does not encode or parse objects, judge certificates, rosters or
// policies, keep keys or state, or talk to anything: it maps bytes to bytes.
// There is one suite, 0x647a, and nothing to negotiate.
//
// What is refused comes back as a [Refusal] that names the rule. Everything
// here is safe for concurrent use.
package seal
