package fanout

import (
	"encoding/base64"
	"strings"

	"github.com/go-json-experiment/json"
)

// The channels of protocol/SPEC.md, section 5: two for each conversation, of
// which the first has the log as its memory and the other, for who types, has
// none; and one for each department's queue, with none either.
const (
	conversationPrefix = "c:"
	typingPrefix       = "t:"
	departmentPrefix   = "q:"
	longestChannel     = len(conversationPrefix) + 43 // base64url of 32 bytes
)

func conversationChannel(conv [32]byte) string {
	return conversationPrefix + base64.RawURLEncoding.EncodeToString(conv[:])
}

func departmentChannel(dept [16]byte) string {
	return departmentPrefix + base64.RawURLEncoding.EncodeToString(dept[:])
}

// conversationOf reads the channel of a conversation. Each has one name: other
// spellings of the same bytes are refused.
func conversationOf(channel string) (conv [32]byte, ok bool) {
	ok = decodeName(conv[:], channel, conversationPrefix)
	return conv, ok
}

func typingChannel(conv [32]byte) string {
	return typingPrefix + base64.RawURLEncoding.EncodeToString(conv[:])
}

func typingOf(channel string) (conv [32]byte, ok bool) {
	ok = decodeName(conv[:], channel, typingPrefix)
	return conv, ok
}

func departmentOf(channel string) (dept [16]byte, ok bool) {
	ok = decodeName(dept[:], channel, departmentPrefix)
	return dept, ok
}

func decodeName(into []byte, channel, prefix string) bool {
	name, ok := strings.CutPrefix(channel, prefix)
	if !ok || len(name) != base64.RawURLEncoding.EncodedLen(len(into)) || strings.ContainsAny(name, "\r\n") {
		return false // the decoder would skip the line breaks
	}
	_, err := base64.RawURLEncoding.Strict().Decode(into, []byte(name))
	return err == nil
}

// entryData is what a conversation's channel carries: the object as it is in the log.
func entryData(object []byte) ([]byte, error) {
	return json.Marshal(struct {
		Object string `json:"o"`
	}{base64.RawURLEncoding.EncodeToString(object)})
}

// typingData is what the channel of who types carries: never what is typed.
func typingData(leaf uint16) ([]byte, error) {
	return json.Marshal(struct {
		Leaf uint16 `json:"leaf"`
	}{leaf})
}

// movedData is what a department's channel carries.
func movedData(conv [32]byte, seq uint64) ([]byte, error) {
	return json.Marshal(struct {
		Conv string `json:"conv"`
		Seq  uint64 `json:"seq"`
	}{base64.RawURLEncoding.EncodeToString(conv[:]), seq})
}
