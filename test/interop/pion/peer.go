package main

import (
	"fmt"
	"sync"

	"github.com/pion/ice/v2"
	"github.com/pion/webrtc"
)

// peer is a peer connection and its negotiation with one member of a room. Pion's settings are its
// own, except that it uses loopback too, so that it works without a network, and no mDNS.
type peer struct {
	*webrtc.PeerConnection
	signal func(data object) error

	negotiating sync.Mutex // an answer waits until the offer that it answers is set
	described   *sync.Cond // each time a description of the other side is set
}

func newPeer(lite bool, signal func(data object) error) (*peer, error) {
	var settings webrtc.SettingEngine
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetLite(lite)
	connection, err := webrtc.NewAPI(webrtc.WithSettingEngine(settings)).
		NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, err
	}
	made := &peer{PeerConnection: connection, signal: signal}
	made.described = sync.NewCond(&made.negotiating)
	// Pion's agent stands still while the callback does, and a restart waits for the agent.
	candidates := make(chan *webrtc.ICECandidate, 256)
	connection.OnICECandidate(func(candidate *webrtc.ICECandidate) { candidates <- candidate })
	go made.tell(candidates)
	return made, nil
}

// tell signals candidates in their order; those of a restart must not overtake its offer.
func (p *peer) tell(candidates <-chan *webrtc.ICECandidate) {
	for candidate := range candidates {
		var told interface{}
		if candidate != nil {
			told = candidate.ToJSON()
		}
		p.negotiating.Lock()
		_ = p.signal(object{"candidate": told})
		p.negotiating.Unlock()
	}
}

func (p *peer) offer() error { return p.offerWith(nil) }

func (p *peer) restart() error { return p.offerWith(&webrtc.OfferOptions{ICERestart: true}) }

func (p *peer) offerWith(options *webrtc.OfferOptions) error {
	p.negotiating.Lock()
	defer p.negotiating.Unlock()
	description, err := p.CreateOffer(options)
	if err != nil {
		return err
	}
	return p.describe(description)
}

// describe makes a description of ours known to both sides. It is told before it is set, since
// setting it starts the candidates, and they come after the description that they belong to.
func (p *peer) describe(description webrtc.SessionDescription) error {
	if err := p.signal(object{"description": description}); err != nil {
		return err
	}
	return p.SetLocalDescription(description)
}

func (p *peer) onSignal(data signal) error {
	p.negotiating.Lock()
	defer p.negotiating.Unlock()
	switch {
	case data.Description != nil:
		if err := p.SetRemoteDescription(*data.Description); err != nil {
			return err
		}
		p.described.Broadcast()
		if data.Description.Type == webrtc.SDPTypeOffer {
			answer, err := p.CreateAnswer(nil)
			if err != nil {
				return err
			}
			if err := p.describe(answer); err != nil {
				return err
			}
		}
		return nil
	case data.Candidate != nil:
		return p.AddICECandidate(*data.Candidate)
	}
	return nil
}

// channel turns the callbacks of a data channel into Go channels.
type channel struct {
	*webrtc.DataChannel
	opened   chan struct{}
	closed   chan struct{}
	received chan webrtc.DataChannelMessage
}

func watch(inner *webrtc.DataChannel) *channel {
	watched := &channel{
		inner, make(chan struct{}), make(chan struct{}), make(chan webrtc.DataChannelMessage, 16),
	}
	inner.OnOpen(func() { close(watched.opened) })
	var once sync.Once
	inner.OnClose(func() { once.Do(func() { close(watched.closed) }) })
	inner.OnMessage(func(received webrtc.DataChannelMessage) { watched.received <- received })
	return watched
}

func (p *peer) open(label string) (*channel, error) {
	inner, err := p.CreateDataChannel(label, nil)
	if err != nil {
		return nil, err
	}
	return watch(inner), nil
}

func (c *channel) awaitOpen() error {
	select {
	case <-c.opened:
		return nil
	case <-c.closed:
		return fmt.Errorf("%s closed before it was open", c.Label())
	}
}

func (c *channel) send(sent webrtc.DataChannelMessage) error {
	if sent.IsString {
		return c.SendText(string(sent.Data))
	}
	return c.Send(sent.Data)
}

// receive waits for one message; none comes after the channel has closed.
func (c *channel) receive() (received webrtc.DataChannelMessage, ok bool) {
	select {
	case received = <-c.received:
		return received, true
	case <-c.closed:
	}
	select {
	case received = <-c.received:
		return received, true
	default:
		return received, false
	}
}
