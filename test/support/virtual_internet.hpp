// Hosts behind NATs and firewalls, and between them an internet with one STUN and TURN server, in
// virtual time. What is lost is lost on the hosts' own links: a packet from host to host crosses
// two of them whether it is relayed or not, and one to the server crosses one.
#pragma once

#include "base/packet.hpp"
#include "support/turn_server.hpp"
#include "support/virtual_nat.hpp"
#include "support/virtual_network.hpp"
#include "support/virtual_stream.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace asiortc::test {

// RFC 5780 7.2: the flags of CHANGE-REQUEST.
inline constexpr std::uint32_t change_ip = 4;
inline constexpr std::uint32_t change_port = 2;

class virtual_internet {
 public:
  /// The conditions are those of one link.
  virtual_internet(std::uint64_t seed, const network_conditions& conditions,
                   base::time_point start = base::time_point{std::chrono::hours(1)});
  virtual_internet(const virtual_internet&) = delete;
  virtual_internet& operator=(const virtual_internet&) = delete;

  /// Names a host.
  enum class site : std::size_t {};
  using receiver = std::function<void(const base::datagram&)>;

  /// A host with a public address.
  site add_host(const base::ip_address& address, receiver receive);
  /// A host behind a NAT with that outer address, or behind a firewall, which has none.
  site add_host_behind(const nat_behaviour& behaviour, const base::ip_address& outer,
                       const base::ip_address& address, receiver receive);
  base::socket_id bind(site where);
  [[nodiscard]] base::endpoint local_endpoint(site where, base::socket_id socket) const;
  /// A TCP connection to the server; `done` is called with its id when it is there.
  void connect(site where, std::function<void(base::socket_id)> done);
  void send(site where, const base::route& to, base::byte_span bytes);

  /// The server answers on two addresses and ports of each family, for RFC 5780; TURN is on the
  /// first of each alone.
  static base::endpoint server_endpoint(bool v6, bool other_address = false,
                                        bool other_port = false);
  /// Whether the address is the server's, be it a relayed one.
  static bool is_servers(const base::ip_address& address);
  [[nodiscard]] turn_server& server() { return server_; }

  [[nodiscard]] base::time_point now() const { return now_; }
  [[nodiscard]] base::time_point next_event() const;
  /// Moves the time there and delivers what has arrived.
  void advance(base::time_point then);

 private:
  struct host {
    base::ip_address address;
    std::optional<virtual_nat> router;
    receiver receive;
    std::vector<base::endpoint> sockets;  ///< by their id less one
  };
  struct stream {
    stream(std::uint64_t seed, const network_conditions& conditions)
        : up(seed * 2, conditions), down(seed * 2 + 1, conditions) {}
    std::size_t owner = 0;
    base::socket_id id{};
    base::endpoint client;  ///< as the server sees it
    base::time_point opens_at;
    std::function<void(base::socket_id)> done;
    virtual_stream up;
    virtual_stream down;
  };

  void send(virtual_packet packet);
  void deliver(virtual_packet& packet);
  void deliver(host& to, const base::endpoint& inside, virtual_packet& packet);
  void serve(const base::endpoint& at, const base::endpoint& from, base::byte_span bytes);
  bool answer_binding(const base::endpoint& at, const base::endpoint& from, base::byte_span bytes);
  void send_to_client(const base::endpoint& client, base::byte_span bytes);
  void relay(const base::endpoint& relayed, const base::endpoint& peer, base::byte_span bytes);
  void run(stream& which);

  std::uint64_t seed_;
  network_conditions conditions_;
  base::time_point now_;
  virtual_network one_link_;
  virtual_network two_links_;
  turn_server server_;
  std::vector<std::unique_ptr<host>> hosts_;
  std::vector<std::unique_ptr<stream>> streams_;
};

}  // namespace asiortc::test
