package authority

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/aldaba-chat/aldaba/internal/seal"
	"github.com/aldaba-chat/aldaba/internal/wire"
)

// Folder is an [Exchange] by files, for an office that reaches the server's
// disk: the server writes into out, the office into in. A name is written in
// hexadecimal digits, a file is complete when it has its name.
//
//	out/status.pub                           the status key, 64 digits and a line end
//	out/server.pub                           the server's request for its own certificate
//	out/<id>.request                         list: request, MAC
//	out/<hash>.object                        a device's key object
//	in/<hash>.object                         a policy, certificate or key object
//	in/<id>.answer                           the certificate for a request
//	in/<device>.<department>.wrap            by the hashes of both certificates
//	in/<certificate>.revoke                  empty
//	in/<department>.<minimum>.generation     empty; the minimum is decimal
type Folder string

var _ Exchange = Folder("")

// StatusKey implements [Exchange].
func (f Folder) StatusKey(context.Context) (key [32]byte, err error) {
	path := filepath.Join(string(f), "out", "status.pub")
	text, err := readSmall(path, 65)
	if errors.Is(err, fs.ErrNotExist) {
		return key, fmt.Errorf("there is no server at %s: start `aldaba run` once, so that it makes its status key, or name its exchange with --exchange=…", f)
	}
	if err != nil {
		return key, err
	}
	raw, err := hex.DecodeString(strings.TrimSuffix(string(text), "\n"))
	if err != nil || len(raw) != len(key) {
		return key, fmt.Errorf("%s is not a status key of 64 hexadecimal digits", path)
	}
	return [32]byte(raw), nil
}

// Server implements [Exchange].
func (f Folder) Server(context.Context) ([]byte, error) {
	request, err := readSmall(filepath.Join(string(f), "out", "server.pub"), seal.KindEnrolment.Limit())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // a server that has no seat of its own
	}
	return request, err
}

// Requests implements [Exchange].
func (f Folder) Requests(ctx context.Context) ([]Request, error) {
	var requests []Request
	err := f.each(ctx, ".request", 2*4+seal.KindEnrolment.Limit()+32, func(path string, content []byte) error {
		list, err := wire.ReadList(content, 2)
		if err != nil || len(list) != 2 || len(list[1]) != 32 {
			return fmt.Errorf("%s is not a list of a request and a MAC of 32 bytes: remove the file", path)
		}
		requests = append(requests, Request{sha256.Sum256(list[0]), list[0], [32]byte(list[1])})
		return nil
	})
	return requests, err
}

// KeyObjects implements [Exchange].
func (f Folder) KeyObjects(ctx context.Context) ([][]byte, error) {
	var objects [][]byte
	err := f.each(ctx, ".object", seal.KindKeyObject.Limit(), func(_ string, content []byte) error {
		objects = append(objects, content)
		return nil
	})
	return objects, err
}

// each reads the files of out whose names end so.
func (f Folder) each(ctx context.Context, suffix string, limit int, take func(path string, content []byte) error) error {
	out := filepath.Join(string(f), "out")
	entries, err := os.ReadDir(out)
	if err != nil {
		return fmt.Errorf("read what the server wrote: %w", err)
	}
	for _, entry := range entries {
		if name := entry.Name(); strings.HasPrefix(name, ".") || !strings.HasSuffix(name, suffix) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		path := filepath.Join(out, entry.Name())
		content, err := readSmall(path, limit)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the server took it back
		}
		if err != nil {
			return err
		}
		if err := take(path, content); err != nil {
			return err
		}
	}
	return nil
}

// readSmall reads a regular file of at most limit bytes.
func readSmall(path string, limit int) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, fmt.Errorf("read what the server wrote: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > int64(limit) {
		return nil, fmt.Errorf("%s is no file of at most %d bytes: the server did not write it; remove it", path, limit)
	}
	content, err := os.ReadFile(path) //nolint:gosec // the exchange is the administrator's choice
	if err != nil {
		return nil, fmt.Errorf("read what the server wrote: %w", err)
	}
	return content, nil
}

// Publish implements [Exchange].
func (f Folder) Publish(_ context.Context, objects ...[]byte) error {
	for _, object := range objects {
		if err := f.put(fmt.Sprintf("%x.object", sha256.Sum256(object)), object); err != nil {
			return err
		}
	}
	return nil
}

// Answer implements [Exchange].
func (f Folder) Answer(_ context.Context, id [32]byte, certificate []byte) error {
	return f.put(fmt.Sprintf("%x.answer", id), certificate)
}

// Wrap implements [Exchange].
func (f Folder) Wrap(_ context.Context, device, department [32]byte, wrap []byte) error {
	return f.put(fmt.Sprintf("%x.%x.wrap", device, department), wrap)
}

// Revoke implements [Exchange].
func (f Folder) Revoke(_ context.Context, certificate [32]byte) error {
	return f.put(fmt.Sprintf("%x.revoke", certificate), nil)
}

// Generation implements [Exchange].
func (f Folder) Generation(_ context.Context, department [16]byte, minimum uint32) error {
	return f.put(fmt.Sprintf("%x.%d.generation", department, minimum), nil)
}

func (f Folder) put(name string, content []byte) error {
	in := filepath.Join(string(f), "in")
	if err := os.MkdirAll(in, 0o700); err != nil {
		return fmt.Errorf("write for the server: %w", err)
	}
	if err := replace(filepath.Join(in, name), content); err != nil {
		return fmt.Errorf("write for the server: %w", err)
	}
	return nil
}
