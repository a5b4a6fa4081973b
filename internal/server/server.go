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
	"path/filepath"
	"sync"
	"time"

	"github.com/aldaba-chat/aldaba/internal/assist"
	"github.com/aldaba-chat/aldaba/internal/conversation"
	"github.com/aldaba-chat/aldaba/internal/directory"
	"github.com/aldaba-chat/aldaba/internal/fanout"
	"github.com/aldaba-chat/aldaba/internal/gateway"
	"github.com/aldaba-chat/aldaba/internal/identity"
	"github.com/aldaba-chat/aldaba/internal/keyring"
	"github.com/aldaba-chat/aldaba/internal/policy"
	"github.com/aldaba-chat/aldaba/internal/presence"
	"github.com/aldaba-chat/aldaba/internal/site"
	"github.com/aldaba-chat/aldaba/internal/store/sqlite"
)

const (
	headerTimeout = 5 * time.Second
	readTimeout   = 15 * time.Second
	writeTimeout  = 60 * time.Second // a page over a slow line
	idleTimeout   = 2 * time.Minute
	statusEvery   = 15 * time.Minute
	exchangeEvery = time.Second
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
	// Chat and Console are the origins of the visitors' and the staff's pages, as
	// browsers see them; empty for the local names (gateway.Hosts).
	Chat, Console string
	// Demo opens the demonstration's host names.
	Demo bool
	// Admits says whether a link of the demonstration lets a person in, and spends
	// it; nil outside of a demonstration.
	Admits func(login, token string) bool
	// Version is shown in the state of health.
	Version string
	// Reader is brought what is said in assisted conversations; nil when nobody
	// works with it.
	Reader assist.Reader
	// Log receives what an operator should know; nil drops it.
	Log *slog.Logger
}

// Server is a running server.
type Server struct {
	http     *http.Server
	listener net.Listener
	store    *sqlite.Store
	hub      *fanout.Hub
	cancel   context.CancelFunc
	routines sync.WaitGroup
	failed   chan error

	directory *directory.Directory
	sites     *site.Sites
	staff     *identity.Staff
	office    *exchange
	desk      *assist.Desk
	control   *http.Server // on the control socket
	presence  presence.Board
	member    *assist.Member // the server as a member of assisted conversations
	front     *gateway.Gateway
}

// Start opens the data folder, binds the listener and begins to serve. When the
// port is busy it takes the first free one of the next 20 and logs so; Addr
// tells which. Whoever started a server stops it with [Server.Stop].
func Start(ctx context.Context, o Options) (*Server, error) {
	log := cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	if err := prepareFolder(o.Folder); err != nil {
		return nil, err
	}
	s := &Server{failed: make(chan error, 1)}
	err := s.build(ctx, o, log)
	if err == nil {
		err = s.serve(ctx, o, log)
	}
	if err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	return s, nil
}

// build makes the objects from the lowest floor up.
func (s *Server) build(ctx context.Context, o Options, log *slog.Logger) (err error) {
	if s.store, err = sqlite.Open(ctx, o.Folder, log); err != nil {
		return err
	}
	ring, err := keyring.Open(ctx, keyring.Beside(o.Folder), o.Folder, s.store)
	if err != nil {
		return err
	}
	key, err := statusKey(o.Folder, ring)
	if err != nil {
		return err
	}
	if s.directory, err = directory.Open(ctx, s.store, key, time.Now, log); err != nil {
		return err
	}
	s.directory.OnRevoke(func(certificate [32]byte) {
		if s.hub != nil {
			s.hub.Disconnect(certificate)
		}
	})
	if s.member, err = member(o.Folder, ring); err != nil {
		return err
	}
	s.office = &exchange{directory: s.directory, member: s.member, folder: filepath.Join(o.Folder, "exchange"), log: log}
	if err := s.office.open(); err != nil {
		return err
	}
	door, err := policy.New()
	if err != nil {
		return err
	}
	var conversations *conversation.Conversations
	s.hub, err = fanout.New(fanout.Options{
		Log: logOf{&conversations},
		Session: func(token string) (fanout.Session, error) {
			owner, visitor, err := s.front.Owner(token)
			return fanout.Session{Owner: owner, Visitor: visitor}, err
		},
		MayRead: func(ctx context.Context, who fanout.Session, conv [32]byte) bool {
			actor, err := s.directory.Actor(who.Owner, who.Visitor)
			return err == nil && conversations.May(ctx, actor, policy.Follow, conv) == nil
		},
		MayWatch: func(_ context.Context, who fanout.Session, dept [16]byte) bool {
			actor, err := s.directory.Actor(who.Owner, who.Visitor)
			return err == nil && conversations.MayWatch(actor, dept)
		},
		Connected:    func(who fanout.Session) { s.connected(who, log) },
		Disconnected: s.disconnected,
		Logger:       log,
	})
	if err != nil {
		return err
	}
	if s.sites, err = s.openSites(ctx, o); err != nil {
		return err
	}
	s.desk = assist.New(assist.Options{
		Member: s.member, Trust: s.directory.Trust, Log: entriesOf{&conversations}, Store: s.store,
		Reader: o.Reader, Logger: log,
	})
	conversations = conversation.New(conversation.Options{
		Store: s.store, Directory: s.directory, Listener: ears{s.hub, s.desk}, Offices: offices{s.sites, s}, Door: door, Now: time.Now,
	})
	s.staff = identity.New(identity.Options{Store: s.store, Ring: ring, Log: log})
	s.staff.OnEnd(s.cut)
	hosts, err := hostsOf(o)
	if err != nil {
		return err
	}
	s.front = gateway.New(gateway.Options{
		Staff: s.staff, Policy: door,
		Pages: o.Pages, Version: o.Version, Log: log,
		Conversations: conversations, Directory: s.directory, Socket: s.hub.WebSocket(),
		Offices: s.sites, Presence: &s.presence, Typing: s.hub.Typing,
		Sites: doorSites{s.sites}, Hosts: hosts, Admits: o.Admits,
		Ready: s.store.Err,
	})
	return nil
}

// serve binds the listeners and begins to answer.
func (s *Server) serve(ctx context.Context, o Options, log *slog.Logger) (err error) {
	if s.listener, err = listen(ctx, o.Address, log); err != nil {
		return err
	}
	s.http = &http.Server{
		Handler:           s.front,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    headerLimit,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		// net/http would answer OPTIONS * itself, without our headers.
		DisableGeneralOptionsHandler: true,
	}
	working, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	s.every(working, statusEvery, log, "sign a new status", func() error {
		if s.directory.Trust() == nil {
			return nil
		}
		return s.directory.Refresh(working)
	})
	s.every(working, exchangeEvery, log, "exchange with the organisation's office", func() error {
		return errors.Join(s.office.round(working), s.takeSeat(working))
	})
	if err := s.serveControl(ctx, o); err != nil {
		return err
	}
	s.routines.Go(func() { s.desk.Run(working) })
	s.routines.Go(func() {
		select {
		case err := <-s.store.Failed():
			s.fail(fmt.Errorf("the store has failed and takes nothing any more: %w", err))
		case <-working.Done():
		}
	})
	go func() {
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.fail(fmt.Errorf("the server stopped accepting connections: %w", err))
		}
	}()
	return nil
}

// cut closes what the devices of an account have open: whoever may come back,
// comes back with the rights of now.
func (s *Server) cut(e identity.Ended) {
	trust := s.directory.Trust()
	if trust == nil || s.hub == nil {
		return
	}
	for _, key := range e.Devices {
		for _, x := range trust.CertificatesOf(key) {
			s.front.Forget(x.Hash()) // first, so that none of them connects again
			s.hub.Disconnect(x.Hash())
		}
	}
}

// Staff are the accounts, for demonstrations and tests.
func (s *Server) Staff() *identity.Staff { return s.staff }

// every does something again and again until the server stops.
func (s *Server) every(ctx context.Context, period time.Duration, log *slog.Logger, what string, do func() error) {
	s.routines.Go(func() {
		ticker := time.NewTicker(period)
		defer ticker.Stop()
		for {
			if err := do(); err != nil && ctx.Err() == nil {
				log.Error("the server could not "+what, "error", err)
			}
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
		}
	})
}

func (s *Server) fail(err error) {
	select {
	case s.failed <- err:
	default: // the first failure is the one to tell
	}
}

// logOf lets the hub read what the conversations have.
type logOf struct{ conversations **conversation.Conversations }

func (l logOf) Since(ctx context.Context, conv [32]byte, after uint64, limit int) ([]fanout.Publication, error) {
	entries, err := (*l.conversations).Since(ctx, conv, after, limit)
	publications := make([]fanout.Publication, len(entries))
	for i, e := range entries {
		publications[i] = fanout.Publication{Seq: e.Seq, Object: e.Object}
	}
	return publications, err
}

func (l logOf) Top(ctx context.Context, conv [32]byte) (uint64, error) {
	return (*l.conversations).Top(ctx, conv)
}

// Addr is the address that the server listens at.
func (s *Server) Addr() *net.TCPAddr {
	addr, ok := s.listener.Addr().(*net.TCPAddr)
	if !ok {
		panic("server: a TCP listener has a TCP address")
	}
	return addr
}

// Owner says for whom a ticket opens a connection; it is good once.
func (s *Server) Owner(ticket string) (owner [32]byte, visitor bool, err error) {
	return s.front.Owner(ticket)
}

// Founded reports whether the organisation's first policy is there.
func (s *Server) Founded() bool { return s.directory.Trust() != nil }

// Failed delivers an error when the server can no longer serve by itself; it
// stays silent when the server is stopped.
func (s *Server) Failed() <-chan error { return s.failed }

// Stop takes no new connections, waits for the requests under way and closes
// the store. When ctx ends first they are cut, and the error says so.
func (s *Server) Stop(ctx context.Context) error { return s.close(ctx) }

// close ends what was built, from the highest floor down.
func (s *Server) close(ctx context.Context) error {
	var errs []error
	if s.http != nil {
		if err := s.http.Shutdown(ctx); err != nil {
			errs = append(errs, fmt.Errorf("some requests did not finish in time and were cut: %w", err), s.http.Close())
		}
	}
	if s.control != nil {
		errs = append(errs, s.control.Shutdown(ctx))
	}
	if s.hub != nil {
		errs = append(errs, s.hub.Stop(ctx))
	}
	if s.cancel != nil {
		s.cancel()
	}
	s.routines.Wait()
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	return errors.Join(errs...)
}
