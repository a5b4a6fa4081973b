package fanout

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge"
)

const (
	// epoch names the one stream that a conversation ever has: its log.
	epoch = "log"
	// fillLimit is the largest gap that is filled for the subscribers together.
	fillLimit = 100
	// recoverLimit and recoverBytes bound what one subscription gets back at
	// once: publications, and bytes of objects. A frame must fit the queue of its
	// connection. Whoever missed more is told so and reads the entries over HTTP.
	recoverLimit = 200
	recoverBytes = 256 << 10
	// logTimeout bounds a read of the log for many subscribers.
	logTimeout = 5 * time.Second
)

// broker is centrifuge's way to history and subscribers. History is the log
// itself: the offset of a publication is the sequence of its entry. What it
// delivers is in order, each entry once.
type broker struct {
	log     Log
	logger  *slog.Logger
	deliver centrifuge.BrokerEventHandler

	mu   sync.Mutex
	open map[[32]byte]*stream // conversations that somebody here has subscribed to
}

var _ centrifuge.Broker = (*broker)(nil)

// stream is where the delivery of a conversation stands.
type stream struct {
	mu   sync.Mutex
	last uint64 // sequence of the last entry that was delivered
}

// errClientSide answers what the hub's clients have no way to ask for.
var errClientSide = errors.New("fanout: entries come from the log, not from clients")

// RegisterBrokerEventHandler is called once, before anything is published.
func (b *broker) RegisterBrokerEventHandler(h centrifuge.BrokerEventHandler) error {
	b.deliver = h
	return nil
}

// ReliableDelivery tells centrifuge that it need not compare every
// subscriber's position with the log from time to time: publish makes a gap
// known at once.
func (b *broker) ReliableDelivery() bool { return true }

// Subscribe opens the streams of conversations. Centrifuge calls it before it
// reads the history for the first subscriber, so an entry that is published
// meanwhile is in the history, in the stream, or both, and never in neither.
func (b *broker) Subscribe(channels ...string) error {
	for _, channel := range channels {
		conv, ok := conversationOf(channel)
		if !ok {
			continue // the others have no memory
		}
		s := new(stream)
		s.mu.Lock() // publish waits until it is known where the stream begins
		b.mu.Lock()
		b.open[conv] = s
		b.mu.Unlock()
		top, err := b.top(conv)
		s.last = top
		s.mu.Unlock()
		if err != nil {
			return errors.Join(err, b.Unsubscribe(channels...))
		}
	}
	return nil
}

// Unsubscribe forgets the streams that nobody here follows any more.
func (b *broker) Unsubscribe(channels ...string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, channel := range channels {
		if conv, ok := conversationOf(channel); ok {
			delete(b.open, conv)
		}
	}
	return nil
}

// publish delivers an entry that is in the log. Entries of one conversation may
// come twice and late; what is missing before one is read from the log.
func (b *broker) publish(conv [32]byte, seq uint64, object []byte) {
	b.mu.Lock()
	s := b.open[conv]
	b.mu.Unlock()
	if s == nil {
		return // nobody here follows it
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if seq <= s.last {
		return
	}
	if seq > s.last+1 {
		if err := b.fill(conv, s, seq-1); err != nil {
			b.logger.Warn("entries between two deliveries could not be read; their readers recover by themselves", "error", err)
		}
	}
	// After a gap that stayed open, centrifuge sees that the offset is not the
	// next, and has each subscriber subscribe again from where it stands.
	b.send(conv, s, seq, object)
}

// fill delivers what is between the stream's last entry and the given one,
// inclusive, as far as the log has it in order.
func (b *broker) fill(conv [32]byte, s *stream, to uint64) error {
	if to-s.last > fillLimit {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), logTimeout)
	defer cancel()
	missing, err := b.log.Since(ctx, conv, s.last, fillLimit)
	if err != nil {
		return err
	}
	for _, p := range missing {
		if p.Seq != s.last+1 || p.Seq > to {
			break
		}
		b.send(conv, s, p.Seq, p.Object)
	}
	return nil
}

func (b *broker) send(conv [32]byte, s *stream, seq uint64, object []byte) {
	s.last = seq
	data, err := entryData(object)
	if err == nil {
		err = b.deliver.HandlePublication(conversationChannel(conv),
			&centrifuge.Publication{Offset: seq, Data: data},
			centrifuge.StreamPosition{Offset: seq, Epoch: epoch}, false, nil)
	}
	if err != nil {
		b.logger.Error("an entry could not be delivered", "error", err)
	}
}

// hint delivers to a channel without memory.
func (b *broker) hint(channel string, data []byte, err error) {
	if err == nil {
		err = b.deliver.HandlePublication(channel,
			&centrifuge.Publication{Data: data}, centrifuge.StreamPosition{}, false, nil)
	}
	if err != nil {
		b.logger.Error("a hint could not be delivered", "error", err)
	}
}

// History reads the log after a position. When it holds more than one recovery
// carries, the publications end before the position that it returns, which
// centrifuge reports to the client as not recovered.
func (b *broker) History(channel string, o centrifuge.HistoryOptions) ([]*centrifuge.Publication, centrifuge.StreamPosition, error) {
	conv, ok := conversationOf(channel)
	if !ok {
		return nil, centrifuge.StreamPosition{}, nil
	}
	top, err := b.top(conv)
	position := centrifuge.StreamPosition{Offset: top, Epoch: epoch}
	since := o.Filter.Since
	if err != nil || o.Filter.Limit == 0 || since == nil || since.Offset >= top || top-since.Offset > recoverLimit {
		return nil, position, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), logTimeout)
	defer cancel()
	entries, err := b.log.Since(ctx, conv, since.Offset, recoverLimit)
	if err != nil {
		return nil, position, err
	}
	publications := make([]*centrifuge.Publication, 0, len(entries))
	size := 0
	for _, e := range entries {
		if size += len(e.Object); size > recoverBytes {
			return nil, position, nil
		}
		data, err := entryData(e.Object)
		if err != nil {
			return nil, position, err
		}
		publications = append(publications, &centrifuge.Publication{Offset: e.Seq, Data: data})
		position.Offset = max(top, e.Seq) // entries may have come after top was read
	}
	return publications, position, nil
}

func (b *broker) top(conv [32]byte) (uint64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), logTimeout)
	defer cancel()
	return b.log.Top(ctx, conv)
}

// Publish is not how entries come: see [Hub.Publish].
func (b *broker) Publish(string, []byte, centrifuge.PublishOptions) (centrifuge.PublishResult, error) {
	return centrifuge.PublishResult{}, errClientSide
}

// PublishJoin is not used: nobody is told who listens.
func (b *broker) PublishJoin(string, *centrifuge.ClientInfo) error { return errClientSide }

// PublishLeave is not used: nobody is told who listens.
func (b *broker) PublishLeave(string, *centrifuge.ClientInfo) error { return errClientSide }

// RemoveHistory is not used: the log is not the hub's to shorten.
func (b *broker) RemoveHistory(string) error { return errClientSide }
