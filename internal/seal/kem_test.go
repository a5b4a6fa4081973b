package seal

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/mlkem"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/go-json-experiment/json"
)

func kemKey(t testing.TB, n byte) hpke.PrivateKey {
	t.Helper()
	seed := sha256.Sum256([]byte{'k', n})
	key, err := NewKEMKey(seed[:])
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestCheckKEMKey_K2(t *testing.T) {
	good := kemKey(t, 1).PublicKey().Bytes()
	if err := CheckKEMKey(good); err != nil {
		t.Fatalf("an honest key: %v", err)
	}
	refused := func(name string, key []byte) {
		t.Helper()
		t.Run("[K2] "+name, func(t *testing.T) {
			if err := CheckKEMKey(key); !errors.Is(err, ErrBadKEMKey) {
				t.Errorf("CheckKEMKey: %v", err)
			}
			if _, _, err := WrapSecret(make([]byte, 32), key, nil); !errors.Is(err, ErrBadKEMKey) {
				t.Errorf("Wrap: %v", err)
			}
		})
	}
	refused("empty", nil)
	refused("one byte short", good[:KEMPublicKeySize-1])
	refused("one byte long", append(bytes.Clone(good), 0))

	// Two coefficients of 12 bits are in three bytes, the first in the low bits.
	for place := range 2 {
		for _, value := range []int{3329, 4095} {
			key := bytes.Clone(good)
			if place == 0 {
				key[0], key[1] = byte(value), key[1]&0xf0|byte(value>>8)
			} else {
				key[1], key[2] = key[1]&0x0f|byte(value<<4), byte(value>>4)
			}
			refused("coefficient not below 3329", key)
		}
	}
	key := bytes.Clone(good)
	key[0], key[1] = 3328&0xff, key[1]&0xf0|3328>>8
	if err := CheckKEMKey(key); err != nil {
		t.Errorf("coefficient 3328: %v", err)
	}

	for _, u := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	} {
		refused("small order "+u[:2]+".."+u[60:], append(bytes.Clone(good[:mlkem.EncapsulationKeySize768]), unhex(t, u)...))
	}
}

func TestCheckKEMKey_OneEncoding(t *testing.T) {
	good := kemKey(t, 1).PublicKey().Bytes()
	for name, change := range map[string]func(u []byte){
		"bit 255":   func(u []byte) { u[31] |= 0x80 },
		"9 + p":     func(u []byte) { copy(u, bytes.Repeat([]byte{0xff}, 32)); u[0], u[31] = 0xf6, 0x7f },
		"2^255 - 1": func(u []byte) { copy(u, bytes.Repeat([]byte{0xff}, 32)); u[31] = 0x7f },
	} {
		key := bytes.Clone(good)
		change(key[mlkem.EncapsulationKeySize768:])
		if err := CheckKEMKey(key); !errors.Is(err, ErrBadKEMKey) {
			t.Errorf("[K2] %s: %v", name, err)
		}
	}
}

func TestWrap(t *testing.T) {
	key, info := kemKey(t, 1), []byte("asc1 wrap")
	for _, size := range []int{32, 64} {
		secret := bytes.Repeat([]byte{9}, size)
		enc, ct, err := WrapSecret(secret, key.PublicKey().Bytes(), info)
		if err != nil {
			t.Fatal(err)
		}
		if len(enc) != 1120 || len(ct) != size+16 {
			t.Errorf("sizes %d and %d", len(enc), len(ct))
		}
		opened, err := OpenSecret(key, enc, ct, info, size)
		if err != nil || !bytes.Equal(opened, secret) {
			t.Errorf("opened %x, %v", opened, err)
		}
		refused := func(name string, key hpke.PrivateKey, enc, ct, info []byte, size int) {
			t.Helper()
			if _, err := OpenSecret(key, enc, ct, info, size); !errors.Is(err, ErrWrapOpen) {
				t.Errorf("[W4] %s: %v", name, err)
			}
		}
		refused("another key", kemKey(t, 2), enc, ct, info, size)
		refused("another info", key, enc, ct, []byte("asc1 wraq"), size)
		refused("another size", key, enc, ct, info, 96-size)
		refused("enc cut", key, enc[:1119], ct, info, size)
		refused("enc empty", key, nil, ct, info, size)
		refused("enc longer", key, append(bytes.Clone(enc), 0), ct, info, size)
		refused("ct empty", key, enc, nil, info, size)
		refused("ct cut", key, enc, ct[:len(ct)-1], info, size)
		refused("ct longer", key, enc, append(bytes.Clone(ct), 0), info, size)
		zero := append(bytes.Clone(enc[:mlkem.CiphertextSize768]), make([]byte, 32)...)
		refused("X25519 part of small order", key, zero, ct, info, size)
		for i := range ct {
			altered := bytes.Clone(ct)
			altered[i] ^= 1
			refused("ct altered", key, enc, altered, info, size)
		}
		for i := range enc {
			altered := bytes.Clone(enc)
			altered[i] ^= 1
			refused("enc altered", key, altered, ct, info, size)
		}
	}
	for _, size := range []int{0, 31, 33, 63, 65} {
		if _, _, err := WrapSecret(make([]byte, size), key.PublicKey().Bytes(), info); err == nil {
			t.Errorf("a secret of %d bytes was wrapped", size)
		}
		if _, err := OpenSecret(key, make([]byte, 1120), make([]byte, size+16), info, size); err == nil {
			t.Errorf("a secret of %d bytes was opened", size)
		}
	}
	other, err := hpke.DHKEM(ecdh.X25519()).GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSecret(other, make([]byte, 1120), make([]byte, 48), info, 32); err == nil {
		t.Error("a key of another KEM opened")
	}
	for _, n := range []int{0, 31, 33} {
		if _, err := NewKEMKey(make([]byte, n)); err == nil {
			t.Errorf("a seed of %d bytes was taken", n)
		}
	}
}

// TestWrap_HPKEVectors runs the vectors for KEM 0x647a that come with the
// standard library. They use ChaCha20-Poly1305, so encapsulated key and shared
// secret are taken further by the key schedule of RFC 9180, 5.1, written out
// here, to a wrap of our suite.
func TestWrap_HPKEVectors(t *testing.T) {
	root := runtime.GOROOT() //nolint:staticcheck // vectors lie in the toolchain that runs the test
	file := filepath.Join(root, "src", "crypto", "hpke", "testdata", "hpke-pq.json")
	content, err := os.ReadFile(file)
	if root == "" || errors.Is(err, os.ErrNotExist) {
		t.Skip("note: the toolchain carries no src/crypto/hpke/testdata/hpke-pq.json: HPKE vectors not run")
	}
	if err != nil {
		t.Fatal(err)
	}
	var all []struct {
		Mode        int      `json:"mode"`
		KEM         uint16   `json:"kem_id"`
		KDF         uint16   `json:"kdf_id"`
		AEAD        uint16   `json:"aead_id"`
		Info        hexBytes `json:"info"`
		SK          hexBytes `json:"skRm"`
		PK          hexBytes `json:"pkRm"`
		Enc         hexBytes `json:"enc"`
		Shared      hexBytes `json:"shared_secret"`
		Encryptions []struct {
			AAD hexBytes `json:"aad"`
			CT  hexBytes `json:"ct"`
			PT  hexBytes `json:"pt"`
		} `json:"encryptions"`
	}
	if err := json.Unmarshal(content, &all); err != nil {
		t.Fatal(err)
	}
	done := 0
	for _, v := range all {
		if v.KEM != 0x647a || v.Mode != 0 {
			continue
		}
		done++
		key, err := NewKEMKey(v.SK)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(key.PublicKey().Bytes(), v.PK) {
			t.Error("the seed gives another public key")
		}
		if err := CheckKEMKey(v.PK); err != nil {
			t.Error(err)
		}
		kdf, err := hpke.NewKDF(v.KDF)
		if err != nil {
			t.Fatal(err)
		}
		aead, err := hpke.NewAEAD(v.AEAD)
		if err != nil {
			t.Fatal(err)
		}
		recipient, err := hpke.NewRecipient(v.Enc, key, kdf, aead, v.Info)
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range v.Encryptions {
			opened, err := recipient.Open(e.AAD, e.CT)
			if err != nil {
				t.Errorf("KDF %d, encryption %d: %v", v.KDF, i, err)
			}
			if len(e.PT) > 0 && !bytes.Equal(opened, e.PT) {
				t.Errorf("KDF %d, encryption %d: %x", v.KDF, i, opened)
			}
		}
		secret, info := bytes.Repeat([]byte{5}, 32), []byte("asc1 wrap vector")
		aesKey, nonce := schedule(t, v.Shared, info)
		ct := gcm(aesKey).Seal(nil, nonce, secret, nil)
		opened, err := OpenSecret(key, v.Enc, ct, info, 32)
		if err != nil || !bytes.Equal(opened, secret) {
			t.Errorf("KDF %d: our suite opens %x, %v", v.KDF, opened, err)
		}
	}
	if done == 0 {
		t.Error("no vector for KEM 0x647a")
	}
}

// schedule is KeySchedule of RFC 9180, 5.1, in base mode for suite 0x647a, 1, 2.
func schedule(t *testing.T, shared, info []byte) (key [32]byte, nonce []byte) {
	t.Helper()
	suite := "HPKE\x64\x7a\x00\x01\x00\x02"
	extract := func(salt []byte, label string, ikm []byte) []byte {
		prk, err := hkdf.Extract(sha256.New, append([]byte("HPKE-v1"+suite+label), ikm...), salt)
		if err != nil {
			t.Fatal(err)
		}
		return prk
	}
	context := append([]byte{0}, extract(nil, "psk_id_hash", nil)...)
	context = append(context, extract(nil, "info_hash", info)...)
	secret := extract(shared, "secret", nil)
	expand := func(label string, size int) []byte {
		labeled := binary.BigEndian.AppendUint16(nil, uint16(size))
		labeled = append(labeled, "HPKE-v1"+suite+label+string(context)...)
		okm, err := hkdf.Expand(sha256.New, secret, string(labeled), size)
		if err != nil {
			t.Fatal(err)
		}
		return okm
	}
	return [32]byte(expand("key", 32)), expand("base_nonce", 12)
}

func FuzzOpenWrap(f *testing.F) {
	// A wrap of the vectors: the fuzzer's processes must agree on the only one that opens.
	p := readPrimitives(f, "primitives-go.json")
	key, err := NewKEMKey(unhex(f, p.KEMSeed))
	if err != nil {
		f.Fatal(err)
	}
	enc, ct, info := unhex(f, p.Enc), unhex(f, p.CT), unhex(f, p.Info)
	f.Add(enc, ct, info)
	f.Add(enc, ct[:47], info)
	f.Add(enc[:1119], ct, []byte{})
	f.Fuzz(func(t *testing.T, fuzzedEnc, fuzzedCT, fuzzedInfo []byte) {
		secret, err := OpenSecret(key, fuzzedEnc, fuzzedCT, fuzzedInfo, 32)
		if err != nil {
			if !errors.Is(err, ErrWrapOpen) {
				t.Errorf("no refusal by W4: %v", err)
			}
			return
		}
		// Nobody finds another wrap for the fixed secret by chance.
		if !bytes.Equal(fuzzedEnc, enc) || !bytes.Equal(fuzzedCT, ct) || !bytes.Equal(fuzzedInfo, info) {
			t.Errorf("opened something else: %x", secret)
		}
	})
}

func BenchmarkWrap(b *testing.B) {
	secret, recipient, info := make([]byte, 32), kemKey(b, 1).PublicKey().Bytes(), []byte("asc1 wrap")
	for b.Loop() {
		if _, _, err := WrapSecret(secret, recipient, info); err != nil {
			b.Fatal(err)
		}
	}
}
