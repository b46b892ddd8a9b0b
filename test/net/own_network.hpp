// A network namespace of this process's own.
#pragma once

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <string>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace asiortc::test {

/// The loopback interface of a namespace of its own, whose further addresses are ours to change.
class own_network {
 public:
  own_network() {
    const int kinds = ::geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET;
    if (::unshare(kinds) != 0) {
      std::cout << "skipped: no network namespace may be made: " << std::strerror(errno) << "\n";
      std::exit(77);
    }
    fd_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    set_up("lo", true);
  }
  ~own_network() { ::close(fd_); }
  own_network(const own_network&) = delete;
  own_network& operator=(const own_network&) = delete;

  void add(int number) {
    ifreq request = named(alias(number));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, address_of(number).c_str(), &address.sin_addr);
    std::memcpy(&request.ifr_addr, &address, sizeof address);
    REQUIRE(::ioctl(fd_, SIOCSIFADDR, &request) == 0);
  }
  void remove(int number) { set_up(alias(number), false); }
  static std::string address_of(int number) { return "10.97.0." + std::to_string(number); }

 private:
  static std::string alias(int number) { return "lo:" + std::to_string(number); }
  static ifreq named(const std::string& name) {
    ifreq request{};
    name.copy(request.ifr_name, IFNAMSIZ - 1);
    return request;
  }
  /// An alias that is not up is no more.
  void set_up(const std::string& name, bool up) {
    ifreq request = named(name);
    request.ifr_flags = static_cast<short>(up ? IFF_UP | IFF_RUNNING : 0);
    REQUIRE(::ioctl(fd_, SIOCSIFFLAGS, &request) == 0);
  }

  int fd_ = -1;
};

}  // namespace asiortc::test
