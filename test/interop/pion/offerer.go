package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/pion/webrtc"
)

const inFlight = 16

// largest is what Pion takes in one message.
const largest = 65535

// guest is one membership in the room and its peer connection to the host.
type guest struct {
	*room
	peer *peer
}

func visit(wanted options) (*guest, error) {
	joined, err := join(wanted.server, wanted.room, "pion")
	if err != nil {
		return nil, err
	}
	if joined.host == joined.id {
		return nil, errors.New("nobody is there to offer to")
	}
	made, err := newPeer(wanted.lite,
		func(data object) error { return joined.signal(joined.host, data) })
	if err != nil {
		return nil, err
	}
	go joined.follow(func(got message) {
		if got.Type != "signal" || got.From != joined.host {
			return // other guests are none of our business
		}
		if err := made.onSignal(got.Data); err != nil {
			say("signal refused: %v", err)
		}
	})
	return &guest{joined, made}, nil
}

func (g *guest) leave() {
	_ = g.peer.Close()
	g.room.leave()
}

// offer connects all guests, some at a time, and stays with them.
func offer(wanted options) error {
	places := make(chan struct{}, inFlight)
	done := make(chan error, wanted.count)
	guests := make([]*guest, wanted.count)
	for index := range guests {
		places <- struct{}{}
		go func(index int) {
			var err error
			if guests[index], err = visit(wanted); err == nil {
				err = work(guests[index].peer, wanted)
			}
			<-places
			done <- err
		}(index)
	}
	for range guests {
		if err := <-done; err != nil {
			return err
		}
	}
	say("ready %d", wanted.count)
	awaitEndOfInput()
	for _, one := range guests {
		one.leave()
	}
	return nil
}

func work(connection *peer, wanted options) error {
	opened, err := connection.open(wanted.label)
	if err != nil {
		return err
	}
	if err := connection.offer(); err != nil {
		return err
	}
	if err := opened.awaitOpen(); err != nil {
		return err
	}
	switch wanted.task {
	case "hello":
		return hello(opened)
	case "restart":
		return restart(connection, opened)
	}
	return exchange(connection, opened)
}

func text(value string) webrtc.DataChannelMessage {
	return webrtc.DataChannelMessage{IsString: true, Data: []byte(value)}
}

func binary(size int) webrtc.DataChannelMessage {
	data := make([]byte, size)
	for index := range data {
		data[index] = byte(index * 31)
	}
	return webrtc.DataChannelMessage{Data: data}
}

func hello(opened *channel) error {
	if err := opened.send(text("hello from pion")); err != nil {
		return err
	}
	received, ok := opened.receive()
	if !ok {
		return fmt.Errorf("%s closed before a message came", opened.Label())
	}
	say("received %s", received.Data)
	return nil
}

// restart has texts echoed before and after an ICE restart.
func restart(connection *peer, opened *channel) error {
	<-connection.exchanged // the first offer
	if err := roundTrip(opened, text("before")); err != nil {
		return err
	}
	if err := connection.restart(); err != nil {
		return err
	}
	<-connection.exchanged
	if err := roundTrip(opened, text("after")); err != nil {
		return err
	}
	say("restarted")
	return nil
}

func roundTrip(opened *channel, sent webrtc.DataChannelMessage) error {
	if err := opened.send(sent); err != nil {
		return err
	}
	received, ok := opened.receive()
	if !ok || received.IsString != sent.IsString || !bytes.Equal(received.Data, sent.Data) {
		return fmt.Errorf("not echoed: %d bytes, text: %t", len(sent.Data), sent.IsString)
	}
	return nil
}

// exchange sends every kind of message to one who echoes, and closes channels from either side.
func exchange(connection *peer, opened *channel) error {
	sent := []webrtc.DataChannelMessage{
		text("hello"), text(""), text("grüße 😀"), text(strings.Repeat("x", largest)),
		binary(1), binary(0), binary(1200), binary(largest),
	}
	for _, one := range sent {
		if err := roundTrip(opened, one); err != nil {
			return err
		}
		say("echoed %s", kind(one))
	}
	if err := opened.send(text("please close")); err != nil {
		return err
	}
	<-opened.closed
	say("closed %s", opened.Label())
	second, err := connection.open("closed-by-pion")
	if err != nil {
		return err
	}
	if err := second.awaitOpen(); err != nil {
		return err
	}
	if err := second.Close(); err != nil {
		return err
	}
	<-second.closed
	say("closed %s", second.Label())
	return nil
}

func kind(one webrtc.DataChannelMessage) string {
	if one.IsString {
		return fmt.Sprintf("text:%d", len(one.Data))
	}
	return fmt.Sprintf("binary:%d", len(one.Data))
}
