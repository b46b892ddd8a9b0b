// SCTP over the transport, and the data channels over SCTP.
#pragma once

#include "base/log.hpp"
#include "base/packet.hpp"
#include "base/time.hpp"
#include "datachannel/table.hpp"
#include "peer/session.hpp"
#include "sctp/association.hpp"

#include <asiortc/states.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace asiortc::peer {

class data_link {
 public:
  data_link(datachannel::settings settings, sctp::engine& engine, sctp::wake_function wake,
            base::logger log);

  [[nodiscard]] datachannel::table& channels() { return channels_; }
  [[nodiscard]] const datachannel::table& channels() const { return channels_; }
  [[nodiscard]] std::uint64_t receive_limit() const { return receive_limit_; }

  void negotiate(const sctp_parameters& remote, bool dtls_client);
  [[nodiscard]] const std::optional<sctp_parameters>& negotiated() const { return remote_; }

  /// DTLS is up: both sides send their INIT (RFC 8831 6.1).
  void connect(base::time_point now);
  void handle_packets(base::time_point now, const base::packet_batch& packets);
  /// Takes what the association did meanwhile.
  void update(base::time_point now);
  /// Appends packets to be sealed.
  void poll_packets(base::packet_batch& out);
  /// Every channel ends with the reason; the ABORT, if one is due, waits in `poll_packets`.
  void end(base::time_point now, const base::failure& reason);
  /// After an end before there was an association: channels can be made again.
  void revive();
  [[nodiscard]] bool ended() const { return channels_.ended().has_value(); }
  [[nodiscard]] sctp_transport_state state() const {
    if (ended()) return sctp_transport_state::closed;
    return channels_.connected() ? sctp_transport_state::connected
                                 : sctp_transport_state::connecting;
  }
  /// Gives the association back.
  void release() { association_.reset(); }

  // The channels that are open or opening, for those who want to close them all.
  void track(datachannel::channel_key key) { live_.push_back(key); }
  void note(const datachannel::event& event);
  /// Drains and closes every channel that is not closing yet.
  void close_channels(base::time_point now);
  /// Nothing is queued, in flight or being reset.
  [[nodiscard]] bool drained() const {
    return live_.empty() && closing_.empty() && channels_.idle();
  }

 private:
  std::size_t receive_limit_;
  datachannel::table channels_;
  sctp::engine& engine_;
  sctp::wake_function wake_;
  base::logger log_;
  std::optional<sctp_parameters> remote_;
  std::unique_ptr<sctp::association> association_;
  std::vector<datachannel::channel_key> live_;
  std::vector<datachannel::channel_key> closing_;
  bool ended_ = false;
};

}  // namespace asiortc::peer
