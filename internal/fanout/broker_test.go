package fanout

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/centrifugal/centrifuge"
)

// recorder takes what a broker delivers; a real node hides duplicates.
type recorder struct {
	centrifuge.BrokerEventHandler
	got []string
}

func (r *recorder) HandlePublication(channel string, p *centrifuge.Publication, at centrifuge.StreamPosition, _ bool, _ *centrifuge.Publication) error {
	r.got = append(r.got, fmt.Sprintf("%s%d %d %s%s", channel[:2], p.Offset, at.Offset, at.Epoch, p.Data))
	return nil
}

func TestBroker_DeliversEachOnce(t *testing.T) {
	conv := [32]byte{1}
	name := conversationChannel(conv)
	log := &memory{entries: map[[32]byte][][]byte{}}
	for n := range byte(9) {
		log.add(conv, []byte{n})
	}
	var r recorder
	b := &broker{log: log, logger: slog.New(slog.DiscardHandler), open: map[[32]byte]*stream{}}
	b.RegisterBrokerEventHandler(&r)

	b.publish(conv, 8, []byte{8}) // nobody follows
	if err := b.Subscribe(name); err != nil {
		t.Fatal(err)
	}
	log.add(conv, []byte{9})
	log.add(conv, []byte{10})
	log.add(conv, []byte{11})
	for _, seq := range []byte{8, 9, 9, 11, 10, 3, 11} {
		b.publish(conv, uint64(seq), []byte{seq})
	}
	equal(t, "delivered", r.got, []string{`c:9 9 log{"o":"CQ"}`, `c:10 10 log{"o":"Cg"}`, `c:11 11 log{"o":"Cw"}`})

	// A gap too large to fill is left to the readers' recovery.
	r.got = nil
	for range fillLimit + 1 {
		log.add(conv, []byte("x"))
	}
	reads := log.reads.Load()
	b.publish(conv, 13+fillLimit, []byte("y"))
	equal(t, "after a large gap", r.got, []string{fmt.Sprintf(`c:%d %d log{"o":"eQ"}`, 13+fillLimit, 13+fillLimit)})
	equal(t, "reads", log.reads.Load(), reads)

	r.got = nil
	b.Unsubscribe(name)
	b.publish(conv, 14+fillLimit, []byte("z"))
	equal(t, "after the last has left", len(r.got), 0)
}
