package keyring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// memory is a store that forgets.
type memory struct {
	mu   sync.Mutex
	sets map[string][]byte
}

func (m *memory) Keysets(context.Context) (map[string][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.sets), nil
}

func (m *memory) PutKeyset(_ context.Context, purpose string, wrapped []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sets == nil {
		m.sets = map[string][]byte{}
	}
	if _, ok := m.sets[purpose]; ok {
		return errors.New("it is there")
	}
	m.sets[purpose] = wrapped
	return nil
}

func open(t *testing.T, data string, store Store) *Ring {
	t.Helper()
	r, err := Open(t.Context(), Beside(data), data, store)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRing_OpensWhatItSealedForTheSamePurposeAndId(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	store := &memory{}
	secret := []byte("the secret of an app")
	sealed, err := open(t, data, store).Seal(SecondFactor, []byte("ana"), secret)
	if err != nil || bytes.Contains(sealed, secret) {
		t.Fatalf("%q %v", sealed, err)
	}
	again := open(t, data, store) // after a restart
	if got, err := again.Open(SecondFactor, []byte("ana"), sealed); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("got %q, %v", got, err)
	}
	changed := bytes.Clone(sealed)
	changed[len(changed)-1] ^= 1
	for _, c := range []struct {
		name    string
		purpose Purpose
		id      string
		sealed  []byte
	}{
		{"another id", SecondFactor, "luis", sealed},
		{"another purpose", Status, "ana", sealed},
		{"a purpose that there is not", "cookies", "ana", sealed},
		{"a changed byte", SecondFactor, "ana", changed},
		{"nothing", SecondFactor, "ana", nil},
	} {
		if got, err := again.Open(c.purpose, []byte(c.id), c.sealed); err == nil {
			t.Errorf("%s opens: %q", c.name, got)
		}
	}
}

// The file is written for its owner only, and the wrapped keysets hold no key.
func TestOpen_KeepsTheKeyBesideTheData(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	open(t, data, &memory{})
	for name, want := range map[string]os.FileMode{data + "-keys": 0o700, data + "-keys/root.key": 0o600} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v", name, info.Mode().Perm(), err)
		}
	}
	left, err := filepath.Glob(data + "-keys/.new-*")
	if err != nil || len(left) > 0 {
		t.Errorf("half-written files stay: %v %v", left, err)
	}
}

func TestOpen_EightFirstStartsAtOnceMakeOneRootKey(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	const starts = 8
	stores := make([]*memory, starts)
	var all sync.WaitGroup
	begin := make(chan struct{})
	failed := make(chan error, starts)
	for i := range stores {
		stores[i] = &memory{}
		all.Go(func() {
			<-begin
			_, err := Open(t.Context(), Beside(data), data, stores[i])
			failed <- err
		})
	}
	close(begin)
	all.Wait()
	for range starts {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
	for _, store := range stores { // each was wrapped by the key that stays
		open(t, data, store)
	}
}

func TestOpen_Refuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, keys string) // after a first start
		want  string
	}{
		{"a root key that is gone", func(t *testing.T, keys string) { must(t, os.Remove(nameOf(keys))) }, "is gone and the data needs it"},
		{"the root key of another installation", func(t *testing.T, keys string) {
			must(t, os.Remove(nameOf(keys)))
			must(t, makeRoot(nameOf(keys)))
		}, "do not belong together"},
		{"a root key that others can read", func(t *testing.T, keys string) { must(t, os.Chmod(nameOf(keys), 0o640)) }, "run chmod 600"},
		{"a folder that others can open", func(t *testing.T, keys string) { must(t, os.Chmod(keys, 0o750)) }, "run chmod 700"},
		{"half a root key", func(t *testing.T, keys string) { must(t, os.Truncate(nameOf(keys), 40)) }, "is no root key, or damaged"},
		{"a file that is too large", func(t *testing.T, keys string) { must(t, os.Truncate(nameOf(keys), largest+1)) }, "is no root key"},
		{"a folder in its place", func(t *testing.T, keys string) {
			must(t, os.Remove(nameOf(keys)))
			must(t, os.Mkdir(nameOf(keys), 0o700))
		}, "is no root key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "data")
			store := &memory{}
			open(t, data, store)
			before := maps.Clone(store.sets)
			c.spoil(t, Beside(data))
			_, err := Open(t.Context(), Beside(data), data, store)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if fmt.Sprint(before) != fmt.Sprint(store.sets) {
				t.Error("the store was changed")
			}
			if c.name == "a root key that is gone" {
				if _, err := os.Stat(nameOf(Beside(data))); err == nil {
					t.Error("a new root key was made silently")
				}
			}
		})
	}
}

func TestOpen_RefusesAFolderInTheData(t *testing.T) {
	base := t.TempDir()
	data := filepath.Join(base, "data")
	must(t, os.Mkdir(data, 0o700))
	must(t, os.Symlink(data, filepath.Join(base, "link")))
	for _, keys := range []string{data, filepath.Join(data, "keys"), filepath.Join(base, "link", "keys")} {
		if _, err := Open(t.Context(), keys, data, &memory{}); err == nil || !strings.Contains(err.Error(), "a copy of the data would carry its key") {
			t.Errorf("%s: %v", keys, err)
		}
	}
	if made, err := filepath.Glob(filepath.Join(data, "*")); err != nil || len(made) > 0 {
		t.Errorf("made in the data: %v %v", made, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
