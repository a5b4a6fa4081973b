// Package server is the composition root: it turns options into objects,
// starts them in order and stops them in the other.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/aldaba-chat/aldaba/internal/gateway"
)

const (
	headerTimeout = 5 * time.Second
	readTimeout   = 15 * time.Second
	writeTimeout  = 60 * time.Second // a page over a slow line
	idleTimeout   = 2 * time.Minute
	headerLimit   = 16 << 10 // bytes; net/http adds 4 KiB for what it reads ahead
)

// Options is what a server is made from.
type Options struct {
	// Address is host:port to listen at. The host is one of this machine's
	// loopback names; port 0 takes any free one.
	Address string
	// Folder holds the data. It is created, for its owner only, when missing.
	Folder string
	// Pages holds the built browser applications.
	Pages fs.FS
	// Version is shown in the state of health.
	Version string
	// Log receives what an operator should know; nil drops it.
	Log *slog.Logger
}

// Server is a running server.
type Server struct {
	http     *http.Server
	listener net.Listener
	failed   chan error
}

// Start prepares the folder, binds the listener and begins to serve. When the
// port is busy it takes the first free one of the next 20 and logs so; Addr
// tells which. Whoever started a server stops it with [Server.Stop].
func Start(ctx context.Context, o Options) (*Server, error) {
	log := cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	if err := prepareFolder(o.Folder); err != nil {
		return nil, err
	}
	listener, err := listen(ctx, o.Address, log)
	if err != nil {
		return nil, err
	}
	s := &Server{
		http: &http.Server{
			Handler:           gateway.New(gateway.Options{Pages: o.Pages, Version: o.Version, Log: log}),
			ReadHeaderTimeout: headerTimeout,
			ReadTimeout:       readTimeout,
			WriteTimeout:      writeTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    headerLimit,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
			// net/http would answer OPTIONS * itself, without our headers.
			DisableGeneralOptionsHandler: true,
		},
		listener: listener,
		failed:   make(chan error, 1),
	}
	go func() {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("the server stopped accepting connections: %w", err)
		}
	}()
	return s, nil
}

// Addr is the address that the server listens at.
func (s *Server) Addr() *net.TCPAddr {
	addr, ok := s.listener.Addr().(*net.TCPAddr)
	if !ok {
		panic("server: a TCP listener has a TCP address")
	}
	return addr
}

// Failed delivers an error when the server can no longer serve by itself; it
// stays silent when the server is stopped.
func (s *Server) Failed() <-chan error { return s.failed }

// Stop takes no new connections and waits for the requests under way. When
// ctx ends first they are cut, and the error says so.
func (s *Server) Stop(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("some requests did not finish in time and were cut: %w", err), s.http.Close())
	}
	return nil
}
