// Package keyring keeps the server's own secrets: it seals values that the
// database holds, so that a stolen database or backup gives none of them.
// Conversations have keys of their own, which the server never sees.
//
// A root key stands in a file, root.key, in a folder beside the data and never
// in it: a copy of the data must not carry its key. The root wraps one keyset
// for each [Purpose]; the wrapped keysets stand in the database, and they seal
// values. A value opens only under the purpose and the id that it was sealed
// for, so a row that was copied over another one does not open.
//
// At three in the morning: a database that has keysets needs the root key that
// wrapped them. When the file is gone or another one, the server refuses to
// start and changes nothing; bring root.key back from where it was copied to
// when the server was set up. Nothing replaces it: without it second factors
// have to be set up anew, for everybody.
package keyring

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Purpose is what a keyset is for. It is part of what is authenticated, so it
// never changes.
type Purpose string

// The purposes of today.
const (
	// SecondFactor seals the secrets of authenticator apps.
	SecondFactor Purpose = "second-factor"
	// Status seals the key that signs the directory's status.
	Status Purpose = "status"
	// Seat seals the keys with which the server sits in assisted conversations.
	Seat Purpose = "seat"
)

var purposes = []Purpose{SecondFactor, Status, Seat}

// Store keeps the wrapped keysets. Both methods are safe for concurrent use.
type Store interface {
	// Keysets gives all wrapped keysets by their purpose.
	Keysets(ctx context.Context) (map[string][]byte, error)
	// PutKeyset adds one; what is there for the purpose stays and is an error.
	PutKeyset(ctx context.Context, purpose string, wrapped []byte) error
}

// Ring seals and opens. It is safe for concurrent use.
type Ring struct {
	keys map[Purpose]tink.AEAD
}

// Open reads the root key of a folder and the keysets of the store, and makes
// what is missing of an installation that is new. The folder must not be in the
// data folder. A store that has keysets and a root key that does not open them,
// or that is gone, are refused.
func Open(ctx context.Context, folder, data string, store Store) (*Ring, error) {
	if err := check(folder, data); err != nil {
		return nil, err
	}
	wrapped, err := store.Keysets(ctx)
	if err != nil {
		return nil, fmt.Errorf("the keysets of the database cannot be read: %w", err)
	}
	root, err := rootKey(folder, len(wrapped) == 0)
	if err != nil {
		return nil, err
	}
	r := &Ring{keys: map[Purpose]tink.AEAD{}}
	for _, p := range purposes {
		if r.keys[p], err = openKeyset(ctx, store, root, p, wrapped[string(p)]); err != nil {
			return nil, fmt.Errorf("the root key %s and the data %s do not belong together, so nothing was changed: bring back the root key that was made with this data: %w", nameOf(folder), data, err)
		}
	}
	return r, nil
}

// openKeyset unwraps a keyset, or makes it when there is none.
func openKeyset(ctx context.Context, store Store, root tink.AEAD, p Purpose, wrapped []byte) (tink.AEAD, error) {
	name := []byte("aldaba keyset " + p)
	if wrapped != nil {
		handle, err := keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(wrapped)), root, name)
		if err != nil {
			return nil, fmt.Errorf("open the keyset %s: %w", p, err)
		}
		return aead.New(handle)
	}
	handle, err := keyset.NewHandle(aead.XAES256GCM192BitNonceKeyTemplate())
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := handle.WriteWithAssociatedData(keyset.NewBinaryWriter(&b), root, name); err != nil {
		return nil, err
	}
	if err := store.PutKeyset(ctx, string(p), b.Bytes()); err != nil {
		return nil, fmt.Errorf("keep the keyset %s: %w", p, err)
	}
	return aead.New(handle)
}

// Seal encrypts a value for one purpose and one id.
func (r *Ring) Seal(p Purpose, id, plaintext []byte) ([]byte, error) {
	key, ok := r.keys[p]
	if !ok {
		return nil, errNoPurpose
	}
	return key.Encrypt(plaintext, bound(p, id))
}

// Open decrypts what Seal gave for the same purpose and id.
func (r *Ring) Open(p Purpose, id, sealed []byte) ([]byte, error) {
	key, ok := r.keys[p]
	if !ok {
		return nil, errNoPurpose
	}
	plaintext, err := key.Decrypt(sealed, bound(p, id))
	if err != nil {
		return nil, fmt.Errorf("a sealed value of the database does not open: it was changed, or belongs to something else: %w", err)
	}
	return plaintext, nil
}

var errNoPurpose = errors.New("the keyring has no keyset for this purpose")

// bound is what is authenticated beside a value. A purpose has no zero byte.
func bound(p Purpose, id []byte) []byte {
	return append(append([]byte(p), 0), id...)
}
