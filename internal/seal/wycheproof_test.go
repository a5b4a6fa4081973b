package seal

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/mlkem"
	"crypto/mlkem/mlkemtest"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"

	"github.com/c2sp/wycheproof"
	"github.com/go-json-experiment/json"
)

// Project Wycheproof's vectors, against the primitives and, where the package
// adds checks of its own, against those.

type hexBytes []byte

func (b *hexBytes) UnmarshalText(text []byte) error {
	decoded, err := hex.DecodeString(string(text))
	*b = decoded
	return err
}

// vector has the members of all files that are read here.
type vector struct {
	ID      int    `json:"tcId"`
	Comment string `json:"comment"`
	Result  string `json:"result"`

	Flags []string `json:"flags"`

	Msg hexBytes `json:"msg"`
	Sig hexBytes `json:"sig"`
	Key hexBytes `json:"key"`
	IV  hexBytes `json:"iv"`
	AAD hexBytes `json:"aad"`
	CT  hexBytes `json:"ct"`
	Tag hexBytes `json:"tag"`

	Public  hexBytes `json:"public"`
	Private hexBytes `json:"private"`
	Shared  hexBytes `json:"shared"`

	IKM  hexBytes `json:"ikm"`
	Salt hexBytes `json:"salt"`
	Info hexBytes `json:"info"`
	Size int      `json:"size"`
	OKM  hexBytes `json:"okm"`

	Seed hexBytes `json:"seed"`
	EK   hexBytes `json:"ek"`
	M    hexBytes `json:"m"`
	C    hexBytes `json:"c"`
	K    hexBytes `json:"K"`
}

type group struct {
	KeySize   int `json:"keySize"`
	IVSize    int `json:"ivSize"`
	TagSize   int `json:"tagSize"`
	PublicKey struct {
		PK hexBytes `json:"pk"`
	} `json:"publicKey"`
	Tests []vector `json:"tests"`
}

func vectors(t *testing.T, file string) []group {
	t.Helper()
	content, err := fs.ReadFile(wycheproof.TestVectors, file)
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Groups []group `json:"testGroups"`
	}
	if err := json.Unmarshal(content, &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Groups) == 0 {
		t.Fatalf("%s has no groups", file)
	}
	return all.Groups
}

// each runs every vector; run says whether it could, and what differs.
func each(t *testing.T, file, reason string, run func(group, vector) (ran bool, complaint string)) {
	t.Helper()
	done, skipped := 0, 0
	for _, g := range vectors(t, file) {
		for _, v := range g.Tests {
			ran, complaint := run(g, v)
			if !ran {
				skipped++
				continue
			}
			done++
			if complaint != "" {
				t.Errorf("%s %d (%s; %s): %s", file, v.ID, v.Comment, v.Result, complaint)
			}
		}
	}
	if done == 0 {
		t.Errorf("%s: no vector was run", file)
	}
	if skipped > 0 {
		fmt.Printf("note: %s: %d vectors run, %d not: %s\n", file, done, skipped, reason)
	}
}

func TestWycheproof_Ed25519(t *testing.T) {
	each(t, "ed25519_test.json", "", func(g group, v vector) (bool, string) {
		err := verify(g.PublicKey.PK, v.Msg, v.Sig)
		if (err == nil) != (v.Result == "valid") {
			return true, fmt.Sprintf("verify: %v", err)
		}
		if err := CheckPrimeOrder(g.PublicKey.PK); err != nil && v.Result == "valid" {
			return true, err.Error()
		}
		return true, ""
	})
}

func TestWycheproof_X25519(t *testing.T) {
	mlkemPart := kemKey(t, 1).PublicKey().Bytes()[:mlkem.EncapsulationKeySize768]
	each(t, "x25519_test.json", "", func(_ group, v vector) (bool, string) {
		private, err := ecdh.X25519().NewPrivateKey(v.Private)
		if err != nil {
			return true, err.Error()
		}
		public, err := ecdh.X25519().NewPublicKey(v.Public)
		if err != nil {
			return true, err.Error()
		}
		small := bytes.Equal(v.Shared, make([]byte, 32))
		shared, err := private.ECDH(public)
		if small != (err != nil) || !small && !bytes.Equal(shared, v.Shared) {
			return true, fmt.Sprintf("ECDH: %x, %v", shared, err)
		}
		err = CheckKEMKey(append(bytes.Clone(mlkemPart), v.Public...))
		// ECDH takes a second encoding of a key; we do not.
		refused := small || slices.Contains(v.Flags, "NonCanonicalPublic")
		if refused != errors.Is(err, ErrBadKEMKey) || !refused && err != nil {
			return true, fmt.Sprintf("[K2] to be refused %v, key check: %v", refused, err)
		}
		return true, ""
	})
}

func TestWycheproof_AES256GCM(t *testing.T) {
	each(t, "aes_gcm_test.json", "other key or nonce sizes than AES-256 with 12 bytes", func(g group, v vector) (bool, string) {
		if g.KeySize != 256 || g.IVSize != 96 || g.TagSize != 128 {
			return false, ""
		}
		aead := gcm([32]byte(v.Key))
		whole := append(bytes.Clone(v.CT), v.Tag...)
		opened, err := aead.Open(nil, v.IV, whole, v.AAD)
		if v.Result != "valid" {
			if err == nil {
				return true, "opened"
			}
			return true, ""
		}
		if err != nil || !bytes.Equal(opened, v.Msg) {
			return true, fmt.Sprintf("opened %x, %v", opened, err)
		}
		if sealed := aead.Seal(nil, v.IV, v.Msg, v.AAD); !bytes.Equal(sealed, whole) {
			return true, fmt.Sprintf("sealed %x", sealed)
		}
		return true, ""
	})
}

func TestWycheproof_HKDF(t *testing.T) {
	each(t, "hkdf_sha256_test.json", "", func(_ group, v vector) (bool, string) {
		okm, err := hkdf.Key(sha256.New, v.IKM, v.Salt, string(v.Info), v.Size)
		if (err == nil) != (v.Result == "valid") || err == nil && !bytes.Equal(okm, v.OKM) {
			return true, fmt.Sprintf("%x, %v", okm, err)
		}
		if err == nil && len(v.Salt) == 0 && !bytes.Equal(derive(v.IKM, string(v.Info), v.Size), v.OKM) {
			return true, "derive differs"
		}
		return true, ""
	})
}

func TestWycheproof_HMAC(t *testing.T) {
	each(t, "hmac_sha256_test.json", "", func(g group, v vector) (bool, string) {
		mac := hmac.New(sha256.New, v.Key)
		mac.Write(v.Msg)
		if equal := hmac.Equal(mac.Sum(nil)[:g.TagSize/8], v.Tag); equal != (v.Result == "valid") {
			return true, fmt.Sprintf("equal: %v", equal)
		}
		return true, ""
	})
}

func TestWycheproof_MLKEM768(t *testing.T) {
	x25519Part := kemKey(t, 1).PublicKey().Bytes()[mlkem.EncapsulationKeySize768:]
	each(t, "mlkem_768_test.json", "", func(_ group, v vector) (bool, string) {
		key, err := mlkem.NewDecapsulationKey768(v.Seed)
		var shared []byte
		if err == nil {
			shared, err = key.Decapsulate(v.C)
		}
		if (err == nil) != (v.Result == "valid") || err == nil && !bytes.Equal(shared, v.K) {
			return true, fmt.Sprintf("%x, %v", shared, err)
		}
		return true, ""
	})
	each(t, "mlkem_768_keygen_seed_test.json", "", func(_ group, v vector) (bool, string) {
		key, err := mlkem.NewDecapsulationKey768(v.Seed)
		if err != nil || !bytes.Equal(key.EncapsulationKey().Bytes(), v.EK) {
			return true, fmt.Sprintf("another key, %v", err)
		}
		return true, ""
	})
	each(t, "mlkem_768_encaps_test.json", "", func(_ group, v vector) (bool, string) {
		err := CheckKEMKey(append(bytes.Clone(v.EK), x25519Part...))
		if v.Result != "valid" {
			if !errors.Is(err, ErrBadKEMKey) {
				return true, fmt.Sprintf("[K2] key check: %v", err)
			}
			return true, ""
		}
		if err != nil {
			return true, err.Error()
		}
		key, err := mlkem.NewEncapsulationKey768(v.EK)
		if err != nil {
			return true, err.Error()
		}
		shared, ct, err := mlkemtest.Encapsulate768(key, v.M)
		if err != nil || !bytes.Equal(shared, v.K) || !bytes.Equal(ct, v.C) {
			return true, fmt.Sprintf("another encapsulation, %v", err)
		}
		return true, ""
	})
	expanded := 0
	for _, g := range vectors(t, "mlkem_768_semi_expanded_decaps_test.json") {
		expanded += len(g.Tests)
	}
	fmt.Printf("note: mlkem_768_semi_expanded_decaps_test.json: %d vectors not run: the standard library takes a private key as its seed only\n", expanded)
}
