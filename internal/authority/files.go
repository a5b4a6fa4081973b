package authority

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"filippo.io/age"
	"github.com/go-json-experiment/json"

	"github.com/aldaba-chat/aldaba/internal/seal"
)

// format is the number of what the files contain; it grows when an older
// program could not read it.
const format = 1

// The files of the keys' folder. Each is an age file with a passphrase.
const (
	rootFile     = "root.age"
	officeFile   = "office.age"
	recoveryFile = "recovery.age" // the content of root.age, by the recovery code
	lockFile     = "lock"
)

// MinPassphrase is the least length of a passphrase, in characters.
const MinPassphrase = 12

// maxFile is more than an office with ten thousand devices needs, in bytes.
const maxFile = 1 << 28

// Files are an office on a disk: a folder for its owner only, outside the
// server's data.
type Files struct {
	Folder     string
	Data       []string // folders of the server, in which keys must not be
	Passphrase string
	Work       int // base-2 logarithm of scrypt's cost; 0 is what age takes, about a second
}

// Check refuses a folder that is not fit for keys: in the server's data, or open
// to other users. One that is not there is fit.
func (f Files) Check() error {
	if f.Folder == "" {
		return errors.New("no folder of the keys is named: give --keys=…")
	}
	keys, err := resolve(f.Folder)
	if err != nil {
		return fmt.Errorf("the folder of the keys cannot be used: %w", err)
	}
	for _, data := range f.Data {
		resolved, err := resolve(data)
		if err != nil {
			return fmt.Errorf("the server's data folder cannot be found: %w", err)
		}
		if rel, err := filepath.Rel(resolved, keys); err == nil && rel != ".." && !strings.HasPrefix(rel, "../") {
			return fmt.Errorf("the folder of the keys, %s, is in the server's data folder %s: whoever has the server would have the keys; name a folder elsewhere", f.Folder, data)
		}
	}
	info, err := os.Stat(f.Folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("the folder of the keys cannot be used: %w", err)
	case !info.IsDir():
		return fmt.Errorf("the folder of the keys, %s, is a file: name a folder", f.Folder)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("the folder of the keys, %s, is open to other users (mode %04o): run chmod 700 on it or name another folder", f.Folder, info.Mode().Perm())
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

// Vacant refuses a folder that has keys.
func (f Files) Vacant() error {
	for _, name := range []string{rootFile, officeFile, recoveryFile} {
		if _, err := os.Lstat(filepath.Join(f.Folder, name)); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there are keys in %s: name another folder, or move these away when they are not needed any more", f.Folder)
		}
	}
	return nil
}

// Present refuses a folder that has no keys.
func (f Files) Present() error {
	_, err := os.Lstat(filepath.Join(f.Folder, officeFile))
	if errors.Is(err, fs.ErrNotExist) {
		return f.noKeys()
	}
	return err
}

// Create keeps a new office and gives the recovery code, which opens a copy of
// the root when the passphrase is lost. The code is kept nowhere.
func (f Files) Create(o *Office) (recovery string, err error) {
	if err := f.Check(); err != nil {
		return "", err
	}
	if err := os.MkdirAll(f.Folder, 0o700); err != nil {
		return "", fmt.Errorf("the folder of the keys cannot be created: %w", err)
	}
	if err := f.Vacant(); err != nil {
		return "", err
	}
	recovery = newRecovery()
	var made []string
	for _, file := range []struct {
		name, passphrase string
		content          any
	}{
		{recoveryFile, recovery, o.root},
		{rootFile, f.Passphrase, o.root},
		{officeFile, f.Passphrase, &o.state},
	} {
		sealed, err := f.encrypt(file.content, file.passphrase)
		if err == nil {
			made = append(made, file.name)
			err = write(filepath.Join(f.Folder, file.name), sealed)
		}
		if err != nil {
			for _, name := range made {
				err = errors.Join(err, os.Remove(filepath.Join(f.Folder, name)))
			}
			return "", fmt.Errorf("the keys cannot be kept in %s: %w", f.Folder, err)
		}
		o.stamp = sha256.Sum256(sealed)
	}
	f.attach(o)
	return recovery, nil
}

// Open reads the office, with its root where that is needed. What the office
// signs from then on is kept in the files.
func (f Files) Open(withRoot bool) (*Office, error) {
	if err := f.Check(); err != nil {
		return nil, err
	}
	o := new(Office)
	sealed, err := f.read(officeFile, &o.state)
	if err != nil {
		return nil, err
	}
	if err := o.state.check(); err != nil {
		return nil, damaged(filepath.Join(f.Folder, officeFile), err)
	}
	o.stamp = sha256.Sum256(sealed)
	if withRoot {
		o.root = new(root)
		if _, err := f.read(rootFile, o.root); err != nil {
			return nil, err
		}
		if key := seal.PublicKey(o.root.key()); sha256.Sum256(key[:]) != o.state.Org {
			return nil, fmt.Errorf("%s and %s in %s are of two organisations: bring back both from the same copy", rootFile, officeFile, f.Folder)
		}
	}
	f.attach(o)
	return o, nil
}

// Current says whether the office is still what its file has: another command
// may have changed it.
func (f Files) Current(o *Office) (bool, error) {
	sealed, err := os.ReadFile(filepath.Join(f.Folder, officeFile))
	if err != nil {
		return false, fmt.Errorf("read the office: %w", err)
	}
	return sha256.Sum256(sealed) == o.stamp, nil
}

// Save keeps what changed since the office was opened.
func (o *Office) Save() error { return o.save() }

func (f Files) attach(o *Office) {
	o.dirty = false
	o.keep = func() error {
		sealed, err := f.encrypt(&o.state, f.Passphrase)
		if err != nil {
			return err
		}
		if err := replace(filepath.Join(f.Folder, officeFile), sealed); err != nil {
			return fmt.Errorf("the office cannot be saved: %w", err)
		}
		o.stamp = sha256.Sum256(sealed)
		return nil
	}
}

// patience is how long a command waits for another in the same folder.
const patience = 15 * time.Second

// Lock keeps other commands out of the folder until unlock.
func (f Files) Lock(ctx context.Context) (unlock func(), err error) {
	file, err := os.OpenFile(filepath.Join(f.Folder, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, f.noKeys()
	}
	if err != nil {
		return nil, fmt.Errorf("the folder of the keys cannot be locked: %w", err)
	}
	for deadline := time.Now().Add(patience); ; {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil // which unlocks
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(deadline) {
			break
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), file.Close())
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil, errors.Join(fmt.Errorf("another command works with the keys in %s: wait until it has ended", f.Folder), file.Close())
}

func (f Files) noKeys() error {
	return fmt.Errorf("there are no keys in %s: make them with `aldaba keys init`, or name their folder with --keys=…", f.Folder)
}

func (f Files) encrypt(content any, passphrase string) ([]byte, error) {
	plain, err := json.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("write the keys: %w", err)
	}
	defer clear(plain)
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, fmt.Errorf("use the passphrase: %w", err)
	}
	if f.Work != 0 {
		recipient.SetWorkFactor(f.Work)
	}
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, recipient)
	if err != nil {
		return nil, fmt.Errorf("encrypt the keys: %w", err)
	}
	if _, err := w.Write(plain); err != nil {
		return nil, fmt.Errorf("encrypt the keys: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("encrypt the keys: %w", err)
	}
	return sealed.Bytes(), nil
}

// read opens a file into content, and gives the file's bytes too.
func (f Files) read(name string, content any) ([]byte, error) {
	path := filepath.Join(f.Folder, name)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && name == officeFile:
		return nil, f.noKeys()
	case err != nil:
		return nil, fmt.Errorf("read the keys: %w", err)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%s is open to other users (mode %04o): run chmod 600 on it, and think of who may have read it", path, info.Mode().Perm())
	case info.Size() > maxFile:
		return nil, damaged(path, fmt.Errorf("it has %d bytes, at most %d are possible", info.Size(), maxFile))
	}
	sealed, err := os.ReadFile(path) //nolint:gosec // the folder is the administrator's choice
	if err != nil {
		return nil, fmt.Errorf("read the keys: %w", err)
	}
	identity, err := age.NewScryptIdentity(f.Passphrase)
	if err != nil {
		return nil, fmt.Errorf("use the passphrase: %w", err)
	}
	reader, err := age.Decrypt(bytes.NewReader(sealed), identity)
	var wrong *age.NoIdentityMatchError
	if errors.As(err, &wrong) {
		return nil, fmt.Errorf("this is not the passphrase of %s: try again", path)
	}
	if err != nil {
		return nil, damaged(path, err)
	}
	plain, err := io.ReadAll(reader)
	if err != nil {
		return nil, damaged(path, err)
	}
	defer clear(plain)
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(plain, &head); err != nil {
		return nil, damaged(path, errors.New("its content is no JSON with a format"))
	}
	if head.Format > format {
		return nil, fmt.Errorf("%s was written by a newer version of aldaba (format %d, this one reads %d): use that version", path, head.Format, format)
	}
	if err := json.Unmarshal(plain, content, json.RejectUnknownMembers(true)); err != nil || head.Format < 1 {
		return nil, damaged(path, errors.New("its content is not that of an office")) // err could name what is secret
	}
	return sealed, nil
}

func damaged(path string, err error) error {
	return fmt.Errorf("%s is damaged (%w): bring it back from your copy", path, err)
}

// check refuses a state whose objects cannot be read, on which the rest relies.
func (s *state) check() error {
	if len(s.Enrollers) == 0 || len(s.Departments) == 0 {
		return errors.New("it has no enroller or no department")
	}
	err := seal.Parse(s.Policy, new(seal.Policy))
	certificates := func(objects ...[]byte) {
		for _, object := range objects {
			err = errors.Join(err, seal.Parse(object, new(seal.Certificate)))
		}
	}
	keyObject := func(object []byte) { err = errors.Join(err, seal.Parse(object, new(seal.KeyObject))) }
	for _, e := range s.Enrollers {
		certificates(e.Certificate)
	}
	for _, d := range s.Departments {
		if len(d.Generations) == 0 {
			return errors.New("a department has no keys")
		}
		for _, g := range d.Generations {
			certificates(g.Certificate)
			keyObject(g.KeyObject)
		}
	}
	for _, d := range s.Devices {
		if len(d.Certificates) == 0 {
			return errors.New("a device has no certificate")
		}
		certificates(d.Certificates...)
		if len(d.KeyObject) > 0 {
			keyObject(d.KeyObject)
		}
	}
	return err
}

// write makes a file that must not be there.
func write(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the folder is the administrator's choice
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// replace puts a file in the place of another, at once: a reader finds the old
// content or the new one, after a power cut too.
func replace(path string, content []byte) error {
	var random [8]byte
	rand.Read(random[:])
	fresh := filepath.Join(filepath.Dir(path), fmt.Sprintf(".new-%x", random))
	err := write(fresh, content)
	if err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		_ = os.Remove(fresh) // what matters is why it could not be written
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// newRecovery draws 160 bits and writes them in Crockford's base 32, in groups
// of five characters and one of two.
func newRecovery() string {
	var random [20]byte
	rand.Read(random[:])
	text := base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").EncodeToString(random[:])
	var groups []string
	for group := range slices.Chunk([]byte(text), 5) {
		groups = append(groups, string(group))
	}
	return strings.Join(groups, "-")
}
