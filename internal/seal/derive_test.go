package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
)

// expand is HKDF-SHA256 with 32 zero bytes as salt, written out from RFC 5869,
// 2.2 and 2.3.
func expand(ikm []byte, info string, size int) []byte {
	mac := func(key []byte, parts ...[]byte) []byte {
		h := hmac.New(sha256.New, key)
		for _, part := range parts {
			h.Write(part)
		}
		return h.Sum(nil)
	}
	prk := mac(make([]byte, 32), ikm)
	var okm, block []byte
	for i := byte(1); len(okm) < size; i++ {
		block = mac(prk, block, []byte(info), []byte{i})
		okm = append(okm, block...)
	}
	return okm[:size]
}

func TestDerivation(t *testing.T) {
	es, hash, h := sha256.Sum256([]byte("es")), sha256.Sum256([]byte("hash")), []byte("header")
	if got := Commit(es, hash); !slices.Equal(got[:], expand(es[:], "asc1 commit"+string(hash[:]), 32)) {
		t.Errorf("Commit: %x", got)
	}
	hashed := sha256.Sum256(h)
	okm := expand(expand(es[:], "asc1 msgs", 32), "asc1 msg"+string(hash[:])+string(hashed[:]), 76)
	keys := DeriveMessageKeys(es, hash, h)
	if got := slices.Concat(keys.Key[:], keys.Nonce[:], keys.Commitment[:]); !slices.Equal(got, okm) {
		t.Errorf("DeriveMessageKeys: %x, want %x", got, okm)
	}
	random := sha256.Sum256([]byte("random"))
	mac := hmac.New(sha256.New, expand(es[:], "asc1 id", 32))
	mac.Write(slices.Concat(random[:], h, []byte("padded")))
	if got := messageID(es, random, h, []byte("padded")); !slices.Equal(got[:], mac.Sum(nil)[:16]) {
		t.Errorf("messageID: %x", got)
	}
}

func TestLog(t *testing.T) {
	conv := sha256.Sum256([]byte("genesis"))
	l0 := LogStart(conv)
	if want := sha256.Sum256([]byte("asc1 log" + string(conv[:]))); l0 != want {
		t.Errorf("L_0 %x, want %x", l0, want)
	}
	entry := sha256.Sum256([]byte("entry"))
	number := "\x00\x00\x00\x00\x00\x00\x01\x02"
	if got, want := LogNext(l0, 0x102, []byte("entry")), sha256.Sum256([]byte("asc1 log"+string(l0[:])+number+string(entry[:]))); got != want {
		t.Errorf("L_258 %x, want %x", got, want)
	}
	if LogNext(LogNext(l0, 1, []byte("a")), 2, []byte("b")) == LogNext(LogNext(l0, 1, []byte("b")), 2, []byte("a")) {
		t.Error("the order of entries does not matter")
	}
}

func TestSafetyNumber_L11(t *testing.T) {
	conv := sha256.Sum256([]byte("genesis"))
	visitor := Identity{Role: 1, SigKey: [32]byte(publicOf(signingKey(1)))}
	ana := Identity{Role: 2, SigKey: [32]byte(publicOf(signingKey(2)))}
	luis := Identity{Role: 2, SigKey: [32]byte(publicOf(signingKey(3)))}
	members := []Identity{luis, visitor, ana}
	number := SafetyNumber(conv, members)

	first, second := ana.SigKey, luis.SigKey
	if slices.Compare(first[:], second[:]) > 0 {
		first, second = second, first
	}
	h := sha256.Sum256(slices.Concat([]byte("asc1 code"), conv[:], []byte{1}, visitor.SigKey[:], []byte{2}, first[:], []byte{2}, second[:]))
	limit, _ := new(big.Int).SetString("1"+strings.Repeat("0", 40), 10)
	n := new(big.Int).SetBytes(h[:])
	digits := fmt.Sprintf("%040s", n.Mod(n, limit).String())
	if got := strings.ReplaceAll(number, " ", ""); got != digits {
		t.Errorf("%s, want %s", got, digits)
	}
	groups := strings.Split(number, " ")
	if len(groups) != 8 || slices.ContainsFunc(groups, func(g string) bool { return len(g) != 5 }) {
		t.Errorf("[L11] %q is not eight groups of five", number)
	}
	if members[0] != luis || SafetyNumber(conv, []Identity{visitor, ana, luis}) != number {
		t.Error("[L11] the order of members matters")
	}
	luis.Role = 3
	for name, other := range map[string]string{
		"role":         SafetyNumber(conv, []Identity{visitor, ana, luis}),
		"member":       SafetyNumber(conv, []Identity{visitor, ana}),
		"conversation": SafetyNumber([32]byte{}, members),
	} {
		if other == number {
			t.Errorf("[L11] another %s gives the same number", name)
		}
	}
}

func TestRefusal(t *testing.T) {
	err := fmt.Errorf("read an event: %w", ErrPadding.Because("a payload has at most %d bytes", 7))
	if !errors.Is(err, ErrPadding) || errors.Is(err, ErrDecrypt) {
		t.Error("errors.Is does not go by the rule")
	}
	var refusal Refusal
	if !errors.As(err, &refusal) || refusal.Code != "padding" || refusal.Sentence != "a payload has at most 7 bytes" {
		t.Errorf("%+v", refusal)
	}
	if got := err.Error(); got != "read an event: V10 padding: a payload has at most 7 bytes" {
		t.Error(got)
	}
	if got := ErrPadding.Error(); got != "V10 padding" {
		t.Error(got)
	}
}
