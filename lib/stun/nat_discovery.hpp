// What a NAT or firewall does with UDP, found out with a server that has two addresses (RFC 5780),
// sans I/O.
#pragma once

#include "base/packet.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "stun/message_view.hpp"
#include "stun/retransmission.hpp"
#include "stun/types.hpp"

#include <asiortc/nat_behaviour.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace asiortc::stun {

struct nat_discovery_settings {
  base::endpoint server;
  /// Two sockets on one local address. To ask the server's other address opens the filter for it,
  /// so the mapping is asked for over the first, and over the second nobody but the server.
  base::socket_id mapping_socket{1};
  base::socket_id filtering_socket{2};
  bool whole = true;  ///< false: only whether the server answers, and what we look like to it
  /// Where nothing comes, that is an answer too, so it is not waited for long: 2.5 s.
  retransmission_settings retransmission{std::chrono::milliseconds(500), 3, 2};
};

struct nat_findings {
  std::optional<base::endpoint> mapped;           ///< what the first socket looks like from outside
  bool unreachable = false;                       ///< the first question came back
  std::uint16_t refused_with = 0;                 ///< the code of an error answer to it
  std::optional<base::duration> round_trip_time;  ///< of the first question, if it was sent once
  /// The server's other address and port, if it has one that can be asked (RFC 5780 7.4).
  std::optional<base::endpoint> other;
  nat_behaviour mapping = nat_behaviour::unknown;
  nat_behaviour filtering = nat_behaviour::unknown;
};

class nat_discovery {
 public:
  nat_discovery(nat_discovery_settings settings, base::random_source& random)
      : settings_(settings), random_(&random) {}

  void start(base::time_point now);
  /// Anything malformed, not asked for or from elsewhere than expected is ignored.
  void handle_datagram(base::time_point now, const base::datagram& datagram);
  /// ICMP says that the server cannot be reached.
  void handle_send_error(const base::route& route);
  void handle_timeout(base::time_point now);
  [[nodiscard]] base::time_point next_deadline() const;
  void poll_transmit(base::packet_batch& out);

  /// Nothing more will be asked.
  [[nodiscard]] bool done() const { return started_ && questions_.empty(); }
  [[nodiscard]] const nat_findings& findings() const { return findings_; }

 private:
  /// RFC 5780 4.3 and 4.4 call all but `second_socket` tests I, II and III.
  enum class what {
    first,
    other_address,
    other_address_and_port,
    second_socket,
    from_other_address_and_port,
    from_other_port
  };
  struct question {
    what kind;
    base::route to;
    base::endpoint answered_from;
    std::uint32_t change = 0;
    transaction_id id{};
    retransmission clock;
    base::time_point sent_at;
    bool sent_once = true;
  };

  void ask(base::time_point now, what kind, base::socket_id from, const base::endpoint& to,
           const base::endpoint& answered_from, std::uint32_t change = 0);
  void send(const question& asked);
  void take(base::time_point now, const question& asked, const message_view& answer);
  void take_first(base::time_point now, const question& asked, const message_view& answer);
  void take_mapping(base::time_point now, const question& asked, const base::endpoint& mapped);
  void take_filtering(const question& asked);
  void give_up(const question& asked);
  [[nodiscard]] bool can_ask(const base::endpoint& other) const;

  nat_discovery_settings settings_;
  base::random_source* random_;
  std::vector<question> questions_;
  base::packet_batch outbox_;
  nat_findings findings_;
  std::optional<base::endpoint> second_mapping_;
  bool started_ = false;
};

}  // namespace asiortc::stun
