package identity

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"github.com/aldaba-chat/aldaba/internal/chat"
)

// [S51c] [ASVS 6.2.1-6.2.12]
func TestPassword_Rules(t *testing.T) {
	for _, c := range []struct{ name, password, want string }{
		{"a sentence", "seven quiet herons", ""},
		{"letters only, no kinds of characters are asked for", "qwhznvtrlpsx", ""},
		{"digits only", "830194756201", ""},
		{"twelve characters of two bytes", "ñáéíóúüçßøåæ", ""},
		{"128 code points", strings.Repeat("ab cd ef", 15) + "ghijklmn", ""},
		{"spaces and emoji", "  🦩 quiet 🦩 herons", ""},
		{"eleven characters", "seven quiet", "at least 12"},
		{"nothing", "", "at least 12"},
		{"129 code points", strings.Repeat("abcdefg hi", 12) + "jklmnopqr", "at most 128"},
		{"no text", "seven quiet \xff\xfe", "not text"},
		{"a common one", "sonyericsson", "everybody tries first"},
		{"a common one in capitals with digits behind", "Password2026!", "everybody tries first"},
		{"a common one with digits around", "123-Dragon-123", "everybody tries first"},
		{"a common one with digits for letters", "P@ssw0rd1234", "everybody tries first"},
		{"a common one in Spanish", "Contraseña2027", "everybody tries first"},
		{"a month and a year", "Septiembre-2026", "everybody tries first"},
		{"one piece over and over", "heronheronheron", "repeats"},
		{"one letter", "zzzzzzzzzzzz", "repeats"},
		{"a run", "456789012345", "counts on"},
		{"a run down", "zyxwvutsrqpo", "counts on"},
		{"the login", "ana.perez-2027", "your login"},
		{"the name", "¡¡AnaPérez!!27", "your login"},
		{"the company", "BancoSol202700", "the company"},
		{"the company and a common one", "bancosol-password", "the company"},
		{"the name in a sentence", "ana likes quiet herons", ""},
	} {
		err := judge(c.password, "ana.perez", "Ana Pérez", "Banco Sol")
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
		if e := new(chat.Error); err != nil && (!errors.As(err, &e) || e.Field != "password" || e.Kind != chat.KindInvalid) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestHash_OpensForItsPasswordOnly(t *testing.T) {
	h := newHasher()
	ctx := t.Context()
	encoded, err := h.hash(ctx, "seven quiet herons ñ")
	if err != nil || !strings.HasPrefix(encoded, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatal(encoded, err)
	}
	again, err := h.hash(ctx, "seven quiet herons ñ")
	if err != nil || again == encoded {
		t.Error("two hashes of a password are the same: there is no salt")
	}
	for password, want := range map[string]bool{
		"seven quiet herons ñ":       true,
		"seven quiet herons n\u0303": true, // the same text in another normal form
		"Seven quiet herons ñ":       false,
		"seven quiet herons ñ ":      false,
		"":                           false,
	} {
		if got, err := h.matches(ctx, password, encoded); err != nil || got != want {
			t.Errorf("%q: %v %v", password, got, err)
		}
	}
	// The tail counts: nothing is cut off as bcrypt does [ASVS 6.2.8].
	long := strings.Repeat("x", 100)
	encoded, err = h.hash(ctx, long+"a")
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := h.matches(ctx, long+"b", encoded); ok || err != nil {
		t.Errorf("%v %v", ok, err)
	}
}

// A row that somebody changed does not take the machine's memory.
func TestHash_RefusesCostsBeforeItComputes(t *testing.T) {
	h := newHasher()
	good, err := h.hash(t.Context(), "seven quiet herons")
	if err != nil {
		t.Fatal(err)
	}
	before := h.done.Load()
	for _, change := range []struct{ old, new string }{
		{"m=19456", "m=1048576"},
		{"m=19456", "m=65537"},
		{"m=19456", "m=7"},
		{"m=19456", "m=019456"},
		{"m=19456", "m=-1"},
		{"t=2", "t=11"},
		{"t=2", "t=0"},
		{"p=1", "p=5"},
		{"p=1", "p=0"},
		{"p=1", "p=257"},
		{"p=1$", "p=1x$"},
		{"argon2id", "argon2i"},
		{"v=19", "v=16"},
		{"$m", "$$m"},
		{good[len(good)-43:], "AAAA"},
		{good, "x"},
	} {
		spoilt := strings.Replace(good, change.old, change.new, 1)
		if ok, err := h.matches(t.Context(), "seven quiet herons", spoilt); ok || err == nil {
			t.Errorf("%s is taken", spoilt)
		}
	}
	if h.done.Load() != before {
		t.Error("something was computed")
	}
}

func TestHash_WaitsForAPlaceAndLeavesWhenTheCallerDoes(t *testing.T) {
	h := newHasher()
	for range cap(h.places) {
		h.places <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.hash(ctx, "seven quiet herons"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// RFC 6238, appendix B, whose codes have eight digits: the last six are ours.
func TestCode_VectorsOfTheRFC(t *testing.T) {
	secret := []byte("12345678901234567890")
	for at, want := range map[int64]string{
		59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130",
	} {
		if got := codeAt(secret, at/period); got != want[2:] {
			t.Errorf("at %d: %s, want %s", at, got, want[2:])
		}
	}
}

// Another implementation makes the same codes and reads what we show.
func TestCode_AgreesWithAnotherImplementation(t *testing.T) {
	for n := range 50 {
		secret := newSecret()
		at := time.Unix(1_800_000_000+int64(n)*7919, 0)
		theirs, err := totp.GenerateCode(base32Text.EncodeToString(secret), at)
		if err != nil {
			t.Fatal(err)
		}
		if ours := codeAt(secret, at.Unix()/period); ours != theirs {
			t.Errorf("%s: %s and %s", hex.EncodeToString(secret), ours, theirs)
		}
		key, err := otp.NewKeyFromURL(setupURI(secret, "Banco: Sol & Cía", "ana@x"))
		if err != nil {
			t.Fatal(err)
		}
		if key.Secret() != base32Text.EncodeToString(secret) || key.Issuer() != "Banco  Sol & Cía" || key.AccountName() != "ana@x" || key.Period() != period || key.Digits() != codeDigits {
			t.Errorf("read as %s of %s: %s", key.AccountName(), key.Issuer(), key)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(today, make([]byte, saltSize), make([]byte, hashSize)))
	f.Add("$argon2id$v=19$m=1,t=1,p=1$AA$AA")
	f.Fuzz(func(t *testing.T, text string) {
		c, salt, hash, err := decode(text)
		if err == nil && (encode(c, salt, hash) != text || c.memory > most.memory || c.time > most.time || c.threads > most.threads) {
			t.Fatalf("%q was read as %+v", text, c)
		}
	})
}

// Hashes is how many password hashes were computed, for the tests outside.
func (s *Staff) Hashes() int64 { return s.hasher.done.Load() }
