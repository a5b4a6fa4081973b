package server

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/aldaba-chat/aldaba/internal/assist"
	"github.com/aldaba-chat/aldaba/internal/keyring"
)

// statusKey reads the key that signs the status, or makes it once. Whoever has
// the data folder and the keyring could say anything about revocations for a
// while, which is why policies name its custody.
func statusKey(folder string, ring *keyring.Ring) (ed25519.PrivateKey, error) {
	seed, err := secret(folder, "status.key", ring, keyring.Status, ed25519.SeedSize)
	if err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// member reads the keys with which the server sits in assisted conversations,
// or makes them once. Whoever has the data folder and the keyring reads those
// conversations.
func member(folder string, ring *keyring.Ring) (*assist.Member, error) {
	seeds, err := secret(folder, "seat.key", ring, keyring.Seat, assist.SecretSize)
	if err != nil {
		return nil, err
	}
	defer clear(seeds)
	return assist.NewMember([assist.SecretSize]byte(seeds))
}

// secret opens random bytes that were drawn once, or draws them. They stand in
// the data folder, sealed by the keyring.
func secret(folder, file string, ring *keyring.Ring, purpose keyring.Purpose, size int) ([]byte, error) {
	name := filepath.Join(folder, file)
	sealed, err := os.ReadFile(name) //nolint:gosec // the operator names the data folder
	if errors.Is(err, fs.ErrNotExist) {
		content := make([]byte, size)
		rand.Read(content)
		if sealed, err = ring.Seal(purpose, nil, content); err != nil {
			return nil, err
		}
		return content, writeOnce(name, sealed)
	}
	if err != nil {
		return nil, fmt.Errorf("a key of the server cannot be read: %w", err)
	}
	content, err := ring.Open(purpose, nil, sealed)
	if err != nil || len(content) != size {
		return nil, fmt.Errorf("%s is not the key that this installation made: bring it back from a backup: %w", name, err)
	}
	return content, nil
}

// writeOnce makes a file for its owner only, whole or not at all, and returns
// once it has reached the disk.
func writeOnce(name string, content []byte) (err error) {
	file, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return fmt.Errorf("a key cannot be kept: %w", err)
	}
	_, err = file.Write(content)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Link(file.Name(), name) // refuses a name that is taken
	}
	if err := errors.Join(err, os.Remove(file.Name())); err != nil {
		return fmt.Errorf("a key cannot be kept: %w", err)
	}
	folder, err := os.Open(filepath.Dir(name))
	if err != nil {
		return fmt.Errorf("a key cannot be kept: %w", err)
	}
	return errors.Join(folder.Sync(), folder.Close())
}
