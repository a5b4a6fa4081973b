package server

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/aldaba-chat/aldaba/internal/keyring"
)

// statusKey reads the key that signs the status, or makes it once. It stands in
// the data folder, sealed by the keyring: whoever has both could say anything
// about revocations for a while, which is why policies name its custody.
func statusKey(folder string, ring *keyring.Ring) (ed25519.PrivateKey, error) {
	name := filepath.Join(folder, "status.key")
	sealed, err := os.ReadFile(name) //nolint:gosec // the operator names the data folder
	if errors.Is(err, fs.ErrNotExist) {
		seed := make([]byte, ed25519.SeedSize)
		rand.Read(seed)
		if sealed, err = ring.Seal(keyring.Status, nil, seed); err != nil {
			return nil, err
		}
		return ed25519.NewKeyFromSeed(seed), writeOnce(name, sealed)
	}
	if err != nil {
		return nil, fmt.Errorf("the key of the status cannot be read: %w", err)
	}
	seed, err := ring.Open(keyring.Status, nil, sealed)
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%s is not the key of the status that this installation made: bring it back from a backup: %w", name, err)
	}
	return ed25519.NewKeyFromSeed(seed), nil
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
