package storetest

import (
	"io"
	"testing"

	"github.com/aldaba-chat/aldaba/internal/keyring"
)

// Keyring is the contract of [keyring.Store].
func Keyring[S interface {
	keyring.Store
	io.Closer
}](t *testing.T, open Open[S],
) {
	ctx, folder := t.Context(), t.TempDir()
	s := open(t, folder)
	none, err := s.Keysets(ctx)
	must(t, err)
	equal(t, "keysets of an empty store", len(none), 0)
	must(t, s.PutKeyset(ctx, "one", []byte{1}))
	must(t, s.PutKeyset(ctx, "two", []byte{2}))
	if err := s.PutKeyset(ctx, "one", []byte{3}); err == nil {
		t.Error("a keyset is replaced: what it sealed would be lost")
	}
	must(t, s.Close())
	all, err := open(t, folder).Keysets(ctx)
	must(t, err)
	equal(t, "keysets", all, map[string][]byte{"one": {1}, "two": {2}})
}
