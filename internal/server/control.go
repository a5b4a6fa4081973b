package server

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
)

const (
	// controlSocket is where the commands of the machine reach a server that has
	// the data folder. Whoever can open it could read the folder anyway.
	controlSocket = "control.sock"
	// longestSocket is a little less than the bytes that an address has (unix(7)).
	longestSocket = 100
)

// ControlURL is how requests to the client of [Control] begin.
const ControlURL = "http://control"

// socketName is the socket's address, good until done is called. A folder with
// a long path is named by an open file of it.
func socketName(folder string) (address string, done func(), err error) {
	name := filepath.Join(folder, controlSocket)
	if len(name) <= longestSocket {
		return name, func() {}, nil
	}
	open, err := os.Open(folder) //nolint:gosec // the operator names the folder
	if err != nil {
		return "", nil, err
	}
	return "/proc/self/fd/" + strconv.Itoa(int(open.Fd())) + "/" + controlSocket, func() { _ = open.Close() }, nil
}

// serveControl answers on the control socket. The folder is locked, so a socket
// that is there was left behind by a process that has ended.
func (s *Server) serveControl(ctx context.Context, o Options) error {
	name := filepath.Join(o.Folder, controlSocket)
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the control socket cannot be made: %w", err)
	}
	address, done, err := socketName(o.Folder)
	if err != nil {
		return fmt.Errorf("the control socket cannot be made: %w", err)
	}
	defer done()
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "unix", address)
	if err != nil {
		return fmt.Errorf("the control socket cannot be made: %w", err)
	}
	if unix, ok := listener.(*net.UnixListener); ok {
		unix.SetUnlinkOnClose(false) // its address may mean another folder by then
	}
	if err := os.Chmod(name, 0o600); err != nil {
		return errors.Join(fmt.Errorf("the control socket cannot be kept from other users: %w", err), listener.Close())
	}
	s.control = &http.Server{
		Handler:           s.front.Control(consoleOrigin(o, s.Addr().Port)),
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, MaxHeaderBytes: headerLimit,
	}
	s.routines.Go(func() {
		if err := s.control.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.fail(fmt.Errorf("the server stopped accepting commands: %w", err))
		}
		_ = os.Remove(name) // what stays is removed by the next start
	})
	return nil
}

func consoleOrigin(o Options, port int) string {
	return cmp.Or(o.Console, "http://console.aldaba.localhost:"+strconv.Itoa(port))
}

// Control gives a client of what the staff's pages can ask, as an administrator:
// through the control socket of the server that has the data folder, or, when
// none has it, by opening the folder until done is called. The options are those
// of [Start]; of the address only the port is used, for links.
func Control(ctx context.Context, o Options) (client *http.Client, done func() error, err error) {
	address, release, err := socketName(o.Folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, notSetUp(o.Folder)
	}
	if err != nil {
		return nil, nil, err
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", address)
	}
	if probe, err := dial(ctx, "", ""); err == nil {
		if err := probe.Close(); err != nil {
			return nil, nil, err
		}
		transport := &http.Transport{DialContext: dial}
		return &http.Client{Transport: transport}, func() error {
			transport.CloseIdleConnections()
			release()
			return nil
		}, nil
	}
	release()
	if _, err := os.Stat(filepath.Join(o.Folder, "aldaba.db")); errors.Is(err, fs.ErrNotExist) {
		return nil, nil, notSetUp(o.Folder)
	}
	port, err := portOf(o.Address)
	if err != nil {
		return nil, nil, err
	}
	s := &Server{failed: make(chan error, 1)}
	if err := s.build(ctx, o, cmp.Or(o.Log, slog.New(slog.DiscardHandler))); err != nil {
		return nil, nil, errors.Join(err, s.close(ctx))
	}
	handler := s.front.Control(consoleOrigin(o, port))
	return &http.Client{Transport: direct{handler}}, func() error { return s.close(context.WithoutCancel(ctx)) }, nil
}

func notSetUp(folder string) error {
	return fmt.Errorf("there is no installation in %s: `aldaba setup` makes one, and --folder names another folder", folder)
}

// direct answers requests by a handler of this process.
type direct struct{ handler http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := &written{header: http.Header{}, status: http.StatusOK}
	d.handler.ServeHTTP(w, r)
	return &http.Response{
		StatusCode: w.status, Header: w.header, Body: io.NopCloser(&w.body), Request: r,
		ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(w.body.Len()),
	}, nil
}

type written struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *written) Header() http.Header         { return w.header }
func (w *written) WriteHeader(status int)      { w.status = status }
func (w *written) Write(b []byte) (int, error) { return w.body.Write(b) }
