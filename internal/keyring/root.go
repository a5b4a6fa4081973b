package keyring

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// largest is more than any keyset has, in bytes.
const largest = 64 << 10

// Beside is the folder of the keys that belongs to a data folder.
func Beside(data string) string { return filepath.Clean(data) + "-keys" }

func nameOf(folder string) string { return filepath.Join(folder, "root.key") }

// check refuses a folder that is in the data or open to others, and makes one
// that is missing.
func check(folder, data string) error {
	keys, err := resolve(folder)
	if err != nil {
		return fmt.Errorf("the folder of the root key cannot be used: %w", err)
	}
	inside, err := resolve(data)
	if err != nil {
		return fmt.Errorf("the data folder cannot be found: %w", err)
	}
	if rel, err := filepath.Rel(inside, keys); err == nil && rel != ".." && !strings.HasPrefix(rel, "../") {
		return fmt.Errorf("the folder of the root key, %s, is in the data folder %s: a copy of the data would carry its key; name a folder beside it", folder, data)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("the folder of the root key cannot be made: %w", err)
	}
	return private(folder, "chmod 700")
}

// private refuses what other users can open.
func private(name, mend string) error {
	info, err := os.Stat(name)
	if err != nil {
		return fmt.Errorf("the root key cannot be used: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%s is open to other users of this machine (mode %04o): run %s on it, and think about who has read it", name, mode, mend)
	}
	return nil
}

// resolve follows links as far as the path is there.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	var rest []string
	for at := path; ; at = filepath.Dir(at) {
		real, err := filepath.EvalSymlinks(at)
		if err == nil {
			slices.Reverse(rest)
			return filepath.Join(append([]string{real}, rest...)...), nil
		}
		if !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at) {
			return "", err
		}
		rest = append(rest, filepath.Base(at))
	}
}

// rootKey reads the root key. Only with fresh is one made that is missing; of
// several that make it at once, all get the one that was first.
func rootKey(folder string, fresh bool) (tink.AEAD, error) {
	name := nameOf(folder)
	_, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		if !fresh {
			return nil, fmt.Errorf("the root key %s is gone and the data needs it: bring it back from your copy; another one would not open what it sealed", name)
		}
		err = makeRoot(name)
	}
	if err != nil {
		return nil, fmt.Errorf("the root key cannot be used: %w", err)
	}
	if err := private(name, "chmod 600"); err != nil {
		return nil, err
	}
	file, err := os.Open(name) //nolint:gosec // the operator names the folder
	if err != nil {
		return nil, fmt.Errorf("the root key cannot be read: %w", err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() > largest {
		return nil, fmt.Errorf("%s is no root key: bring it back from your copy", name)
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(file))
	if err != nil {
		return nil, fmt.Errorf("%s is no root key, or damaged: bring it back from your copy: %w", name, err)
	}
	return aead.New(handle)
}

// makeRoot writes a new root key, whole or not at all, and returns once it has
// reached the disk.
func makeRoot(name string) error {
	handle, err := keyset.NewHandle(aead.XAES256GCM192BitNonceKeyTemplate())
	if err != nil {
		return err
	}
	var content bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&content)); err != nil {
		return err
	}
	// CreateTemp opens with O_EXCL and for its owner only.
	file, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	_, err = file.Write(content.Bytes())
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		// Link refuses a name that is taken: then another start was first.
		if err = os.Link(file.Name(), name); errors.Is(err, fs.ErrExist) {
			err = nil
		}
	}
	if err := errors.Join(err, os.Remove(file.Name())); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
