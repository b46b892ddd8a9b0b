#include "io/cares_channel.hpp"

#include "io/socket_address.hpp"

#include <ares.h>

#include <algorithm>
#include <mutex>
#include <utility>

namespace asiortc::io {
namespace {

void initialize_library() {
  static std::once_flag once;
  std::call_once(once, [] { ares_library_init(ARES_LIB_INIT_ALL); });
}

lookup_status status_of(int status) {
  switch (status) {
    case ARES_SUCCESS:
      return lookup_status::found;
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
    case ARES_ENONAME:
    case ARES_EBADNAME:
      return lookup_status::no_such_host;
    case ARES_ECANCELLED:
    case ARES_EDESTRUCTION:
      return lookup_status::aborted;
    default:
      return lookup_status::try_again;
  }
}

std::vector<base::ip_address> addresses_of(const ares_addrinfo* result) {
  std::vector<base::ip_address> addresses;
  for (auto* node = result != nullptr ? result->nodes : nullptr; node != nullptr;
       node = node->ai_next) {
    const auto address = socket_address::from(node->ai_addr);
    if (!address) continue;
    const auto found = address->to_endpoint().address;
    if (std::find(addresses.begin(), addresses.end(), found) == addresses.end()) {
      addresses.push_back(found);
    }
  }
  return addresses;
}

std::string server_list(const std::vector<base::endpoint>& servers) {
  std::string list;
  for (const auto& server : servers) {
    if (!list.empty()) list += ',';
    list += server.to_string();
  }
  return list;
}

}  // namespace

/// A socket of c-ares. The descriptor is given back before c-ares closes it.
struct cares_channel::watch {
  watch(const guarded_strand::strand_type& strand, int fd) : descriptor(strand, fd) {}

  boost::asio::posix::basic_stream_descriptor<guarded_strand::strand_type> descriptor;
  bool wants_read = false, wants_write = false;
  bool reading = false, writing = false;  // a wait is pending
};

cares_channel::cares_channel(guarded_strand::strand_type strand, const cares_options& options)
    : strand_(std::move(strand)), timer_(strand_) {
  initialize_library();
  ares_options settings{};
  settings.timeout = static_cast<int>(options.timeout.count());
  settings.tries = options.tries;
  settings.sock_state_cb = &on_socket_state;
  settings.sock_state_cb_data = this;
  const int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
  if (ares_init_options(&channel_, &settings, mask) != ARES_SUCCESS) {
    channel_ = nullptr;
  } else if (!options.servers.empty()) {
    ares_set_servers_ports_csv(channel_, server_list(options.servers).c_str());
  }
}

cares_channel::~cares_channel() { close(); }

void cares_channel::lookup(const std::string& host, callback done) {
  if (channel_ == nullptr) {
    done(lookup_status::try_again, {});
    return;
  }
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  auto owned = std::make_unique<callback>(std::move(done));
  ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, &on_result, owned.release());
  arm();
}

void cares_channel::on_result(void* done, int status, int, ares_addrinfo* result) {
  const std::unique_ptr<callback> owned(static_cast<callback*>(done));
  auto addresses = addresses_of(result);
  if (result != nullptr) ares_freeaddrinfo(result);
  auto outcome = status_of(status);
  if (outcome == lookup_status::found && addresses.empty()) outcome = lookup_status::no_such_host;
  (*owned)(outcome, std::move(addresses));
}

void cares_channel::close() noexcept {
  timer_.cancel();
  if (channel_ == nullptr) return;
  ares_destroy(std::exchange(channel_, nullptr));
}

void cares_channel::on_socket_state(void* self, int fd, int readable, int writable) {
  static_cast<cares_channel*>(self)->set_interest(fd, readable != 0, writable != 0);
}

void cares_channel::set_interest(int fd, bool readable, bool writable) {
  auto it = watches_.find(fd);
  if (!readable && !writable) {
    if (it == watches_.end()) return;
    it->second->wants_read = it->second->wants_write = false;
    it->second->descriptor.release();
    watches_.erase(it);
    return;
  }
  if (it == watches_.end()) it = watches_.emplace(fd, std::make_shared<watch>(strand_, fd)).first;
  it->second->wants_read = readable;
  it->second->wants_write = writable;
  if (readable) wait(it->second, false);
  if (writable) wait(it->second, true);
}

void cares_channel::wait(const std::shared_ptr<watch>& watched, bool for_writing) {
  bool& pending = for_writing ? watched->writing : watched->reading;
  if (std::exchange(pending, true)) return;
  const auto what = for_writing ? boost::asio::posix::descriptor_base::wait_write
                                : boost::asio::posix::descriptor_base::wait_read;
  watched->descriptor.async_wait(
      what, [self = shared_from_this(), watched, for_writing](boost::system::error_code error) {
        (for_writing ? watched->writing : watched->reading) = false;
        if (error || !watched->descriptor.is_open() || self->channel_ == nullptr) return;
        const int fd = watched->descriptor.native_handle();
        self->process(for_writing ? ARES_SOCKET_BAD : fd, for_writing ? fd : ARES_SOCKET_BAD);
        // c-ares may have closed the socket, or itself been closed, meanwhile.
        if (!watched->descriptor.is_open()) return;
        if (for_writing ? watched->wants_write : watched->wants_read) {
          self->wait(watched, for_writing);
        }
      });
}

void cares_channel::process(int readable_fd, int writable_fd) {
  ares_process_fd(channel_, readable_fd, writable_fd);
  arm();
}

void cares_channel::arm() {
  timeval until{};
  if (channel_ == nullptr || ares_timeout(channel_, nullptr, &until) == nullptr) {
    timer_.cancel();
    return;
  }
  timer_.expires_after(std::chrono::seconds(until.tv_sec) +
                       std::chrono::microseconds(until.tv_usec));
  timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (!error && self->channel_ != nullptr) self->process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  });
}

}  // namespace asiortc::io
