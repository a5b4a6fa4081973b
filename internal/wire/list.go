// Package wire reads and writes what crosses between browsers and server, by
// section 5 of protocol/SPEC.md: lists of objects, and bytes as text.
package wire

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/aldaba-chat/aldaba/internal/chat"
)

// ContentType is that of a list.
const ContentType = "application/octet-stream"

const lengthSize = 4

// AppendList writes each object after its length in four bytes.
func AppendList(out []byte, objects ...[]byte) []byte {
	for _, object := range objects {
		out = binary.BigEndian.AppendUint32(out, uint32(len(object))) //nolint:gosec // objects are small
		out = append(out, object...)
	}
	return out
}

// ReadList splits a list of at most limit objects; the objects are parts of
// it. The error is a [*chat.Error] that names the place.
func ReadList(list []byte, limit int) ([][]byte, error) {
	var objects [][]byte
	for len(list) > 0 {
		if len(objects) == limit {
			return nil, &chat.Error{Kind: chat.KindTooLarge, Field: "body", Limit: int64(limit), Message: "the list has too many objects"}
		}
		if len(list) < lengthSize {
			return nil, chat.Invalid("body", "the list ends within the length of an object")
		}
		size := binary.BigEndian.Uint32(list)
		list = list[lengthSize:]
		if uint64(size) > uint64(len(list)) {
			return nil, chat.Invalid("body", "the list ends within an object")
		}
		objects = append(objects, list[:size:size])
		list = list[size:]
	}
	return objects, nil
}

// Text is bytes as base64url without padding.
func Text(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// ReadHash reads 32 bytes of base64url, in its one form.
func ReadHash(field, text string) ([32]byte, error) {
	var hash [32]byte
	if len(text) != base64.RawURLEncoding.EncodedLen(len(hash)) {
		return hash, &chat.Error{Kind: chat.KindInvalid, Field: field, Limit: 43, Message: "this has 43 letters, digits, - and _"}
	}
	if _, err := base64.RawURLEncoding.Strict().Decode(hash[:], []byte(text)); err != nil || Text(hash[:]) != text {
		return [32]byte{}, chat.Invalid(field, "this is not base64url of 32 bytes")
	}
	return hash, nil
}
