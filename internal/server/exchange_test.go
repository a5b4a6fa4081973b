package server

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aldaba-chat/aldaba/internal/authority"
	"github.com/aldaba-chat/aldaba/internal/keyring"
	"github.com/aldaba-chat/aldaba/internal/seal"
	"github.com/aldaba-chat/aldaba/internal/store/sqlite"
)

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("in 15 seconds it did not happen that %s", what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// An office on the other side of the exchange folder founds the organisation,
// and what it puts there wrongly is refused and put aside.
func TestExchangeFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	s, err := Start(t.Context(), Options{Address: "127.0.0.1:0", Folder: folder, Pages: fstest.MapFS{}, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	site := func() int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Addr().String()+"/v1/site", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = chatHost(s)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.Body.Close(); err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode
	}
	if status := site(); status != http.StatusServiceUnavailable {
		t.Fatalf("a server without an organisation answers %d", status)
	}
	exchange := authority.Folder(filepath.Join(folder, "exchange"))
	key, err := exchange.StatusKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seat, err := exchange.Server(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	office, err := authority.New(authority.Options{
		Departments: []authority.Department{
			{ID: [16]byte{1}, Name: "support", Mode: seal.Sealed}, {ID: [16]byte{2}, Name: "sales", Mode: seal.Assisted},
		},
		StatusKey: key, Server: seat, Custody: seal.Company, Now: uint64(time.Now().UnixMilli()),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := office.Serve(t.Context(), exchange, uint64(time.Now().UnixMilli())); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the organisation is there", func() bool { return site() == http.StatusOK })
	eventually(t, "the server has its seat in the assisted department", func() bool {
		bundle, err := s.directory.Bundle(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		trust := seal.NewTrust(office.Org(), 0, false)
		for _, object := range bundle {
			if err := trust.Add(object); err != nil {
				t.Fatal(err)
			}
		}
		_, _, err = seal.Begin(trust, [16]byte{2}, uint64(time.Now().UnixMilli()))
		return err == nil
	})

	in := filepath.Join(folder, "exchange", "in")
	bad := map[string][]byte{
		"00.object":         {1, 8, 0x64, 0x7a},
		"zz.revoke":         nil,
		"0102.7.generation": nil,
		"large.object":      bytes.Repeat([]byte{1}, 300_000),
	}
	for name, content := range bad {
		if err := os.WriteFile(filepath.Join(in, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name := range bad {
		eventually(t, name+" is put aside", func() bool {
			_, err := os.Stat(filepath.Join(in, name+".refused"))
			return err == nil
		})
	}
	if status := site(); status != http.StatusOK {
		t.Errorf("after refused files the server answers %d", status)
	}
}

func TestStatusKey(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(t.Context(), folder, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	ring, err := keyring.Open(t.Context(), keyring.Beside(folder), folder, store)
	if err != nil {
		t.Fatal(err)
	}
	made, err := statusKey(folder, ring)
	if err != nil {
		t.Fatal(err)
	}
	read, err := statusKey(folder, ring)
	if err != nil || !made.Equal(read) {
		t.Fatalf("the key that was made is not the key that is read: %v", err)
	}
	name := filepath.Join(folder, "status.key")
	if sealed, err := os.ReadFile(name); err != nil || bytes.Contains(sealed, made.Seed()) {
		t.Errorf("the key stands in the data as it is: %v", err)
	}
	if err := os.Truncate(name, 5); err != nil {
		t.Fatal(err)
	}
	if _, err := statusKey(folder, ring); err == nil {
		t.Error("half a key is used")
	}
}
