package fanout

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/centrifugal/centrifuge"
)

// Publication is an entry of a conversation's log after the genesis.
type Publication struct {
	Seq    uint64
	Object []byte
}

// Log is what the hub reads for whoever has missed something.
type Log interface {
	// Since gives at most limit entries with a sequence above after, in order.
	Since(ctx context.Context, conv [32]byte, after uint64, limit int) ([]Publication, error)
	// Top gives the sequence of the last entry.
	Top(ctx context.Context, conv [32]byte) (uint64, error)
}

// Session is who connected. The hub only passes it on.
type Session struct {
	Owner   [32]byte
	Visitor bool
}

// Options are what a hub needs; all but the last two are required.
type Options struct {
	Log Log
	// Session tells whose the token is; an error refuses the connection.
	Session func(token string) (Session, error)
	// MayRead and MayWatch decide about a conversation's and a department's
	// channel, when somebody subscribes and again about once a minute.
	MayRead  func(ctx context.Context, s Session, conv [32]byte) bool
	MayWatch func(ctx context.Context, s Session, dept [16]byte) bool
	// Connected and Disconnected are told of every connection, each once, the
	// second after the first. They must not block. Nil for both tells nobody.
	Connected, Disconnected func(s Session)
	Logger                  *slog.Logger
}

// limits are centrifuge's own, all set here and none left at its default.
type limits struct {
	frame        int           // bytes of one frame from a client
	channels     int           // per connection
	queue        int           // bytes that wait for a slow reader before it is cut off
	writeTimeout time.Duration // of one frame to a client
	connect      time.Duration // from the upgrade to the connect command
	ping, pong   time.Duration // between pings, and for the answer
	recheck      time.Duration // between two decisions about one subscription
	burst        float64       // commands that may come at once
	rate         float64       // commands a second after that
}

var productLimits = limits{
	frame:        4 << 10,
	channels:     128, // two for each of 50 conversations, and departments
	queue:        512 << 10,
	writeTimeout: 5 * time.Second,
	connect:      5 * time.Second,
	ping:         25 * time.Second,
	pong:         10 * time.Second,
	recheck:      time.Minute,
	burst:        256, // every channel once, and again
	rate:         10,
}

// Hub keeps the connections and delivers to them. Its methods are safe for
// concurrent use.
type Hub struct {
	options Options
	limits  limits
	node    *centrifuge.Node
	broker  *broker
	cuts    atomic.Uint64 // calls of Disconnect
	typing  typing
	looks   sync.WaitGroup // that Look has begun
}

// connection is what the hub knows of a client, in the client's context.
type connection struct {
	session Session
	cuts    uint64 // of the hub, before the session was asked for

	// Of commands; one goroutine at a time reads a connection.
	allowance float64
	counted   time.Time
}

type connectionKey struct{}

// New starts a hub; [Hub.Stop] ends it.
func New(o Options) (*Hub, error) { return newHub(o, productLimits) }

func newHub(o Options, l limits) (*Hub, error) {
	if o.Log == nil || o.Session == nil || o.MayRead == nil || o.MayWatch == nil || o.Logger == nil {
		return nil, errors.New("fanout: an option is missing: Log, Session, MayRead, MayWatch and Logger are required")
	}
	h := &Hub{
		options: o,
		limits:  l,
		broker:  &broker{log: o.Log, logger: o.Logger, open: map[[32]byte]*stream{}},
	}
	var err error
	h.node, err = centrifuge.New(centrifuge.Config{
		Name:                         "aldaba",
		LogLevel:                     centrifuge.LogLevelWarn,
		LogHandler:                   h.report,
		ClientStaleCloseDelay:        l.connect,
		ClientChannelLimit:           l.channels,
		ClientQueueMaxSize:           l.queue,
		ChannelMaxLength:             longestChannel,
		RecoveryMaxPublicationLimit:  recoverLimit,
		ClientPresenceUpdateInterval: l.recheck / 2, // the beat of the looks at subscriptions
		ClientExpiredSubCloseDelay:   time.Second,
	})
	if err != nil {
		return nil, fmt.Errorf("fanout: %w", err)
	}
	h.node.SetBroker(h.broker)
	h.node.SetPresenceManager(nil)
	h.node.OnConnecting(h.connecting)
	h.node.OnConnect(h.connected)
	h.node.OnCommandRead(h.command)
	if err := h.node.Run(); err != nil {
		return nil, fmt.Errorf("fanout: %w", err)
	}
	return h, nil
}

// report passes centrifuge's complaints on, without the fields that name
// people and conversations.
func (h *Hub) report(e centrifuge.LogEntry) {
	level := slog.LevelWarn
	if e.Level == centrifuge.LogLevelError {
		level = slog.LevelError
	}
	h.options.Logger.Log(context.Background(), level, "live delivery: "+e.Message, "error", e.Error)
}

// WebSocket serves `GET /v1/socket`. Its caller has checked the origin.
func (h *Hub) WebSocket() http.Handler {
	socket := centrifuge.NewWebsocketHandler(h.node, centrifuge.WebsocketConfig{
		CheckOrigin:                func(*http.Request) bool { return true },
		ReadBufferSize:             1 << 10,
		UseWriteBufferPool:         true,
		MessageSizeLimit:           h.limits.frame,
		WriteTimeout:               h.limits.writeTimeout,
		Compression:                false, // lengths would tell about what is sealed
		ProcessCommandsOffReadLoop: true,  // gives the deep stack of a command back
		PingPongConfig:             centrifuge.PingPongConfig{PingInterval: h.limits.ping, PongTimeout: h.limits.pong},
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Both would switch to other protocols than the one of SPEC.md.
		if r.URL.RawQuery != "" || r.Header.Get("Sec-WebSocket-Protocol") != "" {
			http.Error(w, "the socket takes no query and no subprotocol", http.StatusBadRequest)
			return
		}
		socket.ServeHTTP(w, r)
	})
}

// connecting decides about a connect command.
func (h *Hub) connecting(ctx context.Context, e centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
	c := &connection{cuts: h.cuts.Load(), allowance: h.limits.burst, counted: time.Now()}
	var err error
	if c.session, err = h.options.Session(e.Token); err != nil {
		return centrifuge.ConnectReply{}, centrifuge.DisconnectInvalidToken
	}
	return centrifuge.ConnectReply{
		Context:     context.WithValue(ctx, connectionKey{}, c),
		Credentials: &centrifuge.Credentials{UserID: user(c.session.Owner)},
	}, nil
}

// user is centrifuge's name of an owner.
func user(owner [32]byte) string { return hex.EncodeToString(owner[:]) }

// connected runs when Disconnect can find the client.
func (h *Hub) connected(client *centrifuge.Client) {
	c, ok := client.Context().Value(connectionKey{}).(*connection)
	if !ok || h.cuts.Load() != c.cuts {
		// Somebody was disconnected between the two: it may have been this one, so
		// its token is looked at again.
		client.Disconnect(centrifuge.DisconnectForceReconnect)
		return
	}
	if h.options.Connected != nil {
		h.options.Connected(c.session)
		client.OnDisconnect(func(centrifuge.DisconnectEvent) { h.options.Disconnected(c.session) })
	}
	client.OnSubscribe(func(e centrifuge.SubscribeEvent, answer centrifuge.SubscribeCallback) {
		answer(h.subscribe(client.Context(), c.session, e.Channel))
	})
	client.OnSubRefresh(func(e centrifuge.SubRefreshEvent, answer centrifuge.SubRefreshCallback) {
		allowed, _ := h.mayFollow(client.Context(), c.session, e.Channel)
		answer(centrifuge.SubRefreshReply{Expired: !allowed, ExpireAt: h.nextLook()}, nil)
	})
}

// command lets the commands of SPEC.md through, as many as the limits allow,
// and refuses the rest of centrifuge's protocol.
func (h *Hub) command(client *centrifuge.Client, e centrifuge.CommandReadEvent) error {
	if c, ok := client.Context().Value(connectionKey{}).(*connection); ok {
		now := time.Now()
		c.allowance = min(h.limits.burst, c.allowance+now.Sub(c.counted).Seconds()*h.limits.rate) - 1
		c.counted = now
		if c.allowance < 0 {
			return centrifuge.DisconnectTooManyRequests
		}
	}
	switch c := e.Command; {
	case c.Send != nil: // has no answer
		return centrifuge.DisconnectBadRequest
	case c.Subscribe != nil: // before the others: of several in one command it is done
		if c.Subscribe.Type != 0 || c.Subscribe.Token != "" || c.Subscribe.Delta != "" || c.Subscribe.Tf != nil {
			return centrifuge.ErrorBadRequest
		}
		return nil
	case c.Connect != nil, c.Unsubscribe != nil:
		return nil
	}
	return centrifuge.ErrorMethodNotFound
}

func (h *Hub) subscribe(ctx context.Context, s Session, channel string) (centrifuge.SubscribeReply, error) {
	allowed, known := h.mayFollow(ctx, s, channel)
	switch {
	case !known:
		return centrifuge.SubscribeReply{}, centrifuge.ErrorUnknownChannel
	case !allowed:
		return centrifuge.SubscribeReply{}, centrifuge.ErrorPermissionDenied
	}
	_, recovers := conversationOf(channel)
	return centrifuge.SubscribeReply{Options: centrifuge.SubscribeOptions{
		EnableRecovery:    recovers,
		EnablePositioning: recovers,
		RecoveryMode:      centrifuge.RecoveryModeStream,
		ExpireAt:          h.nextLook(),
	}}, nil
}

// mayFollow asks whether the session may have a channel; a name that is no
// channel is not known.
func (h *Hub) mayFollow(ctx context.Context, s Session, channel string) (allowed, known bool) {
	if conv, ok := conversationOf(channel); ok {
		return h.options.MayRead(ctx, s, conv), true
	}
	if conv, ok := typingOf(channel); ok {
		return h.options.MayRead(ctx, s, conv), true
	}
	if dept, ok := departmentOf(channel); ok {
		return h.options.MayWatch(ctx, s, dept), true
	}
	return false, false
}

// nextLook is when a subscription is decided about again, in seconds since 1970.
func (h *Hub) nextLook() int64 { return time.Now().Add(h.limits.recheck).Unix() }

// Publish delivers an entry after its commit. The genesis is no publication.
// Different conversations may be published at once.
func (h *Hub) Publish(conv [32]byte, seq uint64, object []byte) {
	if seq > 0 {
		h.broker.publish(conv, seq, object)
	}
}

// Moved tells those who watch a department that a conversation of it has begun
// or moved.
func (h *Hub) Moved(dept [16]byte, conv [32]byte, seq uint64) {
	if channel := departmentChannel(dept); h.node.Hub().NumSubscribers(channel) > 0 {
		data, err := movedData(conv, seq)
		h.broker.hint(channel, data, err)
	}
}

// Look asks soon, and not only within a minute, whether those who follow a
// conversation still may: its roster has changed. It does not block.
func (h *Hub) Look(conv [32]byte) {
	channels := []string{conversationChannel(conv), typingChannel(conv)}
	if h.node.Hub().NumSubscribers(channels[0])+h.node.Hub().NumSubscribers(channels[1]) == 0 {
		return
	}
	h.looks.Go(func() {
		for _, client := range h.node.Hub().Connections() {
			c, ok := client.Context().Value(connectionKey{}).(*connection)
			if !ok {
				continue // it has not come in yet
			}
			for _, channel := range channels {
				if !client.IsSubscribed(channel) {
					continue
				}
				if allowed, _ := h.mayFollow(client.Context(), c.session, channel); !allowed {
					client.Unsubscribe(channel, centrifuge.Unsubscribe{Code: centrifuge.UnsubscribeCodeExpired, Reason: "subscription expired"})
				}
			}
		}
	})
}

// Disconnect ends the connections of an owner for good. Its sessions must be
// gone before, so that none of them connects again.
func (h *Hub) Disconnect(owner [32]byte) {
	h.cuts.Add(1)
	if err := h.node.Disconnect(user(owner)); err != nil {
		h.options.Logger.Error("connections could not be ended", "error", err)
	}
}

// Stop ends all connections; clients connect again, to the next process.
func (h *Hub) Stop(ctx context.Context) error {
	defer h.looks.Wait()
	if err := h.node.Shutdown(ctx); err != nil {
		return fmt.Errorf("connections did not end in time: %w", err)
	}
	return nil
}
