package server

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// statusKey reads the key that signs the status, or makes it once. It stands in
// the data folder: whoever has that folder could say anything about revocations
// for a while, which is why policies name its custody.
func statusKey(folder string) (ed25519.PrivateKey, error) {
	name := filepath.Join(folder, "status.key")
	seed, err := os.ReadFile(name) //nolint:gosec // the operator names the data folder
	if errors.Is(err, fs.ErrNotExist) {
		seed = make([]byte, ed25519.SeedSize)
		rand.Read(seed)
		return ed25519.NewKeyFromSeed(seed), writeOnce(name, seed)
	}
	if err != nil {
		return nil, fmt.Errorf("the key of the status cannot be read: %w", err)
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("the key of the status cannot be read: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by other users: run chmod 600 on it", name)
	}
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%s has %d bytes and not %d: bring it back from a backup", name, len(seed), ed25519.SeedSize)
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
