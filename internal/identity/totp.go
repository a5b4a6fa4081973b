package identity

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6238's default, and the only one that all apps know
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	period     = 30 // seconds of one code (RFC 6238, section 5.2)
	drift      = 1  // codes before and after the present one that are taken
	secretSize = 20 // bytes, the length of the hash (RFC 4226, section 4)
	codeDigits = 6

	recoveryCodes = 10
	recoverySize  = 10 // bytes: 80 bits need no slow hash
)

var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

// codeAt is the code of a step (RFC 4226, section 5.3).
func codeAt(secret []byte, step int64) string {
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step)) //nolint:gosec // after 1970
	mac := hmac.New(sha1.New, secret)
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0xf
	number := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	return fmt.Sprintf("%0*d", codeDigits, number%1_000_000)
}

// matchStep gives the step of a code near now that is after the last one.
func matchStep(secret []byte, code string, now time.Time, last int64) (step int64, ok bool) {
	present := now.Unix() / period
	for s := present - drift; s <= present+drift; s++ {
		// Every step is compared, so that time says nothing about which.
		if subtle.ConstantTimeCompare([]byte(codeAt(secret, s)), []byte(code)) == 1 && s > last {
			step, ok = s, true
		}
	}
	return step, ok
}

func newSecret() []byte {
	secret := make([]byte, secretSize)
	rand.Read(secret)
	return secret
}

// setupURI is what an authenticator app reads from a picture.
func setupURI(secret []byte, organisation, login string) string {
	issuer := organisation
	if issuer == "" {
		issuer = "Aldaba"
	}
	// A colon would end the issuer; apps want %20 for a space everywhere.
	escape := func(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }
	issuer = escape(strings.ReplaceAll(issuer, ":", " "))
	return "otpauth://totp/" + issuer + ":" + escape(login) + "?secret=" + base32Text.EncodeToString(secret) + "&issuer=" + issuer
}

// cleanCode drops the spaces and hyphens that people type.
func cleanCode(code string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, code))
}

// newRecovery gives codes to show once, and what is kept of them.
func newRecovery() (shown []string, kept [][32]byte) {
	for range recoveryCodes {
		var random [recoverySize]byte
		rand.Read(random[:])
		text := base32Text.EncodeToString(random[:])
		kept = append(kept, sha256.Sum256([]byte(text)))
		shown = append(shown, strings.Join([]string{text[:4], text[4:8], text[8:12], text[12:]}, "-"))
	}
	return shown, kept
}

// spend takes a code of the app or a recovery code, once; r is changed by it.
func (r *Record) spend(secret []byte, code string, now time.Time) bool {
	code = cleanCode(code)
	if step, ok := matchStep(secret, code, now, r.Step); ok {
		r.Step = step
		return true
	}
	hash := sha256.Sum256([]byte(code))
	if i := slices.Index(r.Codes, hash); i >= 0 {
		r.Codes = slices.Delete(slices.Clone(r.Codes), i, i+1)
		return true
	}
	return false
}
