package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/aldaba-chat/aldaba/internal/chat"
)

// A password has a length and no other shape (NIST SP 800-63B-4, section 3.1.1.2):
// no kinds of characters that must occur, and no end date.
const (
	minPassword = 12
	maxPassword = 128 // code points
)

// cost is how much work a hash is: memory in KiB, passes, threads.
type cost struct {
	memory, time uint32
	threads      uint8
}

// today's cost is OWASP's first choice for Argon2id; most is what a stored hash
// may ask for, so that a changed row cannot take the machine's memory.
var (
	today = cost{memory: 19 << 10, time: 2, threads: 1}
	most  = cost{memory: 64 << 10, time: 10, threads: 4}
)

const (
	saltSize = 16
	hashSize = 32
)

// hasher computes password hashes, a few at once: each takes 19 MiB.
type hasher struct {
	places chan struct{}
	absent string       // the hash of a password that nobody has
	done   atomic.Int64 // hashes computed, for tests
}

func newHasher() *hasher {
	h := &hasher{places: make(chan struct{}, max(2, runtime.GOMAXPROCS(0)))}
	var salt [saltSize]byte
	var hash [hashSize]byte
	rand.Read(salt[:])
	rand.Read(hash[:])
	h.absent = encode(today, salt[:], hash[:])
	return h
}

func (h *hasher) compute(ctx context.Context, password string, c cost, salt []byte, size int) ([]byte, error) {
	select {
	case h.places <- struct{}{}:
		defer func() { <-h.places }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	h.done.Add(1)
	return argon2.IDKey([]byte(norm.NFC.String(password)), salt, c.time, c.memory, c.threads, uint32(size)), nil //nolint:gosec // decode bounds it
}

// hash encodes a password with a salt of its own.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	var salt [saltSize]byte
	rand.Read(salt[:])
	hash, err := h.compute(ctx, password, today, salt[:], hashSize)
	if err != nil {
		return "", err
	}
	return encode(today, salt[:], hash), nil
}

// matches compares a password with its encoded hash. With "" it does the same
// work and says no.
func (h *hasher) matches(ctx context.Context, password, encoded string) (bool, error) {
	absent := encoded == ""
	if absent {
		encoded = h.absent
	}
	c, salt, want, err := decode(encoded)
	if err != nil {
		return false, err
	}
	got, err := h.compute(ctx, password, c, salt, len(want))
	return err == nil && !absent && subtle.ConstantTimeCompare(got, want) == 1, err
}

var base64Text = base64.RawStdEncoding.Strict()

func encode(c cost, salt, hash []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.time, c.threads, base64Text.EncodeToString(salt), base64Text.EncodeToString(hash))
}

var errHash = errors.New("the database holds a password hash that this program did not make: give the person a new link")

// decode reads what encode gives and refuses costs above most before anything
// is computed.
func decode(encoded string) (c cost, salt, hash []byte, err error) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.time, &c.threads); err != nil {
		return c, nil, nil, errHash
	}
	var saltErr, hashErr error
	salt, saltErr = base64Text.DecodeString(parts[4])
	hash, hashErr = base64Text.DecodeString(parts[5])
	switch {
	case saltErr != nil || hashErr != nil,
		c.memory < 8*uint32(c.threads) || c.memory > most.memory,
		c.time < 1 || c.time > most.time,
		c.threads < 1 || c.threads > most.threads,
		len(salt) != saltSize || len(hash) != hashSize,
		encode(c, salt, hash) != encoded:
		return c, nil, nil, errHash
	}
	return c, salt, hash, nil
}

// common is the list of passwords that everybody tries first; NOTICE beside it
// says where it comes from.
//
//go:embed common/passwords.txt
var commonText string

var common = sync.OnceValue(func() map[string]struct{} {
	lines := strings.Split(commonText, "\n")
	all := make(map[string]struct{}, len(lines))
	for _, line := range lines {
		all[line] = struct{}{}
	}
	return all
})

// judge refuses a password that is too short, too long or easy to guess. words
// are what an attacker knows: login, name, company.
func judge(password string, words ...string) error {
	if !utf8.ValidString(password) {
		return chat.Invalid("password", "the password is not text")
	}
	password = norm.NFC.String(password)
	switch n := utf8.RuneCountInString(password); {
	case n < minPassword:
		return &chat.Error{Kind: chat.KindInvalid, Code: "password_short", Field: "password", Limit: minPassword, Message: fmt.Sprintf("a password has at least %d characters: take a sentence or several words", minPassword)}
	case n > maxPassword:
		return &chat.Error{Kind: chat.KindInvalid, Code: "password_long", Field: "password", Limit: maxPassword, Message: fmt.Sprintf("a password has at most %d characters", maxPassword)}
	}
	lower := strings.ToLower(password)
	switch {
	case isCommon(lower):
		return &chat.Error{Kind: chat.KindInvalid, Code: "password_common", Field: "password", Message: "this is one of the passwords that everybody tries first, or one with digits around it: take a sentence or several words"}
	case isPattern(lower):
		return &chat.Error{Kind: chat.KindInvalid, Code: "password_pattern", Field: "password", Message: "this repeats itself or counts on: take a sentence or several words"}
	case isContext(lower, words):
		return &chat.Error{Kind: chat.KindInvalid, Code: "password_known", Field: "password", Message: "this is made of your login, your name or the company's name: take a sentence or several words"}
	}
	return nil
}

func isCommon(lower string) bool {
	notLetter := func(r rune) bool { return !unicode.IsLetter(r) }
	candidates := []string{lower, strings.TrimFunc(lower, notLetter)}
	// p@ssw0rd: the digits behind go first, those inside stand for letters.
	inner := strings.TrimRightFunc(lower, notLetter)
	candidates = append(candidates, strings.TrimFunc(strings.NewReplacer("0", "o", "1", "l", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i").Replace(inner), notLetter))
	return slices.ContainsFunc(candidates, func(c string) bool {
		_, ok := common()[c]
		return ok && c != ""
	})
}

// isPattern knows one piece over and over, and runs such as 123… or zyx….
func isPattern(lower string) bool {
	runes := []rune(lower)
	for period := 1; period <= len(runes)/2; period++ {
		if slices.Equal(runes[period:], runes[:len(runes)-period]) {
			return true
		}
	}
	run := func(step rune) bool {
		for i := 1; i < len(runes); i++ {
			wraps := step == 1 && runes[i-1] == '9' && runes[i] == '0' || step == -1 && runes[i-1] == '0' && runes[i] == '9'
			if runes[i]-runes[i-1] != step && !wraps {
				return false
			}
		}
		return true
	}
	return run(1) || run(-1)
}

// isContext reports whether a common password, or less than five letters, is
// left once the known words are taken out.
func isContext(lower string, words []string) bool {
	left, found := lower, false
	for _, text := range words {
		for _, word := range append(strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), strings.ToLower(text)) {
			if utf8.RuneCountInString(word) >= 3 && strings.Contains(left, word) {
				left, found = strings.ReplaceAll(left, word, ""), true
			}
		}
	}
	letters := 0
	for _, r := range left {
		if unicode.IsLetter(r) {
			letters++
		}
	}
	return found && (letters < 5 || isCommon(left))
}
