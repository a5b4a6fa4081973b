package seal

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

func TestPad_V10(t *testing.T) {
	for _, c := range []struct{ payload, padded int }{
		{0, 64},
		{60, 64},
		{61, 128},
		{124, 128},
		{125, 256},
		{1020, 1024},
		{2044, 2048},
		{2045, 4096},
		{4092, 4096},
		{4093, 8192},
		{8188, 8192},
		{8189, 12288},
		{12284, 12288},
	} {
		payload := bytes.Repeat([]byte{1}, c.payload)
		padded, err := Pad(payload)
		if err != nil || len(padded) != c.padded {
			t.Errorf("%d bytes: padded to %d, %v; want %d", c.payload, len(padded), err, c.padded)
		}
		unpadded, err := Unpad(padded)
		if err != nil || !bytes.Equal(unpadded, payload) {
			t.Errorf("%d bytes: unpadded to %d, %v", c.payload, len(unpadded), err)
		}
	}
	if _, err := Pad(make([]byte, MaxPayload+1)); !errors.Is(err, ErrPadding) {
		t.Errorf("[V10] a payload over the limit: %v", err)
	}
}

func padding(size int, length ...byte) []byte {
	padded := make([]byte, size)
	copy(padded, length)
	return padded
}

var badPaddings = map[string][]byte{
	"[V10] empty":                    nil,
	"[V10] X5: three bytes":          {0, 0, 0},
	"[V10] four bytes":               {0, 0, 0, 0},
	"[V10] 63 bytes":                 padding(63),
	"[V10] no bucket":                padding(65, 0, 0, 0, 61),
	"[V10] no bucket above a page":   padding(4160, 0, 0, 0x0f, 0xfd),
	"[V10] bucket too large":         padding(128, 0, 0, 0, 60),
	"[V10] page too many":            padding(12288, 0, 0, 0x0f, 0xfd),
	"[V10] bucket too small":         padding(64, 0, 0, 0, 61),
	"[V10] length over the limit":    padding(12288, 0, 0, 0x2f, 0xfd),
	"[V10] length of 32 bits":        padding(64, 0xff, 0xff, 0xff, 0xff),
	"[V10] length of 31 bits":        padding(64, 0x7f, 0xff, 0xff, 0xff),
	"[V10] more than 12288":          padding(16384, 0, 0, 0x30, 0),
	"[V10] last pad byte not zero":   append(padding(63, 0, 0, 0, 1), 1),
	"[V10] first pad byte not zero":  padding(64, 0, 0, 0, 1, 7, 1),
	"[V10] pad of nothing, not zero": padding(64, 0, 0, 0, 0, 1),
}

func TestUnpad_V10(t *testing.T) {
	keys := testKeys()
	for name, padded := range badPaddings {
		t.Run(name, func(t *testing.T) {
			if payload, err := Unpad(padded); !errors.Is(err, ErrPadding) {
				t.Errorf("Unpad: %x, %v", payload, err)
			}
			if _, _, err := SealBody(keys, nil, padded); !errors.Is(err, ErrPadding) {
				t.Errorf("SealBody: %v", err)
			}
			// A hostile member seals it all the same.
			ct := gcm(keys.Key).Seal(nil, keys.Nonce[:], padded, nil)
			if _, err := OpenBody(keys, nil, ct, commit(keys, nil, padded)); !errors.Is(err, ErrPadding) {
				t.Errorf("OpenBody: %v", err)
			}
		})
	}
}

func testKeys() MessageKeys {
	return DeriveMessageKeys([32]byte{1}, [32]byte{2}, []byte("header"))
}

func TestOpenBody(t *testing.T) {
	keys, aad := testKeys(), []byte("conv, epoch hash, header")
	padded, err := Pad([]byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	ct, c, err := SealBody(keys, aad, padded)
	if err != nil || len(ct) != len(padded)+16 {
		t.Fatalf("%d bytes, %v", len(ct), err)
	}
	payload, err := OpenBody(keys, aad, ct, c)
	if err != nil || string(payload) != "hello" {
		t.Fatalf("%q, %v", payload, err)
	}
	refused := func(want Refusal, what string, i int, keys MessageKeys, aad, ct []byte, c [32]byte) {
		t.Helper()
		if _, err := OpenBody(keys, aad, ct, c); !errors.Is(err, want) {
			t.Errorf("[%s] %s, byte %d: %v", want.Rule, what, i, err)
		}
	}
	flip := func(b []byte, i int) []byte {
		b = slices.Clone(b)
		b[i] ^= 1 << (i % 8)
		return b
	}
	for i := range ct {
		refused(ErrDecrypt, "[V8] ct altered", i, keys, aad, flip(ct, i), c)
		refused(ErrDecrypt, "[V8] ct cut", i, keys, aad, ct[:i], c)
	}
	refused(ErrDecrypt, "[V8] ct longer", len(ct), keys, aad, append(slices.Clone(ct), 0), c)
	for i := range aad {
		refused(ErrDecrypt, "[V8] aad altered", i, keys, flip(aad, i), ct, c)
		refused(ErrDecrypt, "[V8] aad cut", i, keys, aad[:i], ct, c)
	}
	for i := range c {
		refused(ErrCommitment, "[V9] C altered", i, keys, aad, ct, [32]byte(flip(c[:], i)))
		other := keys
		other.Commitment = [32]byte(flip(keys.Commitment[:], i))
		refused(ErrCommitment, "[V9] kf altered", i, other, aad, ct, c)
		other = keys
		other.Key = [32]byte(flip(keys.Key[:], i))
		refused(ErrDecrypt, "[V8] key altered", i, other, aad, ct, c)
	}
	other := keys
	other.Nonce[0] ^= 1
	refused(ErrDecrypt, "[V8] nonce altered", 0, other, aad, ct, c)
}

// A message is sealed again in the same epoch, with the random source stuck:
// id and keys still belong to one body each (X4, SPEC 4.3).
func TestMessageID_NeverTwoBodies(t *testing.T) {
	es, epoch, stuck := [32]byte{1}, [32]byte{2}, [32]byte{}
	ids, keys := map[[16]byte]string{}, map[MessageKeys]string{}
	for _, h0 := range []string{"header, prev 1", "header, prev 2"} {
		for _, text := range []string{"pay 100", "pay 101"} {
			padded, err := Pad([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			id := messageID(es, stuck, []byte(h0), padded)
			if again := messageID(es, stuck, []byte(h0), padded); again != id {
				t.Error("the same message got another id from the same randomness")
			}
			k := DeriveMessageKeys(es, epoch, append([]byte(h0), id[:]...))
			if before, ok := ids[id]; ok {
				t.Errorf("%s, %s has the id of %s", h0, text, before)
			}
			if before, ok := keys[k]; ok {
				t.Errorf("%s, %s has the keys of %s", h0, text, before)
			}
			ids[id], keys[k] = h0+text, h0+text
			if messageID([32]byte{9}, stuck, []byte(h0), padded) == id {
				t.Error("the id does not depend on the epoch's secret")
			}
			first, second := NewMessageID(es, []byte(h0), padded), NewMessageID(es, []byte(h0), padded)
			if first == second {
				t.Error("two drawn ids are equal")
			}
		}
	}
}

func FuzzUnpad(f *testing.F) {
	for _, padded := range badPaddings {
		f.Add(padded)
	}
	f.Add(padding(64, 0, 0, 0, 60))
	f.Fuzz(func(t *testing.T, padded []byte) {
		payload, err := Unpad(padded)
		if err != nil {
			if !errors.Is(err, ErrPadding) {
				t.Errorf("no refusal by V10: %v", err)
			}
			return
		}
		again, err := Pad(payload)
		if err != nil || !bytes.Equal(again, padded) {
			t.Errorf("padded again to %d bytes, %v", len(again), err)
		}
	})
}

func BenchmarkSealBody(b *testing.B) {
	keys, aad, padded := testKeys(), make([]byte, 160), padding(256, 0, 0, 0, 200)
	b.SetBytes(int64(len(padded)))
	for b.Loop() {
		if _, _, err := SealBody(keys, aad, padded); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenBody(b *testing.B) {
	keys, aad, padded := testKeys(), make([]byte, 160), padding(256, 0, 0, 0, 200)
	ct, c, err := SealBody(keys, aad, padded)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(padded)))
	for b.Loop() {
		if _, err := OpenBody(keys, aad, ct, c); err != nil {
			b.Fatal(err)
		}
	}
}
