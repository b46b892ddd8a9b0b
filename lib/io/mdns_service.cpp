#include "io/mdns_service.hpp"

#include "crypto/random.hpp"
#include "io/clock.hpp"
#include "mdns/message.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace asiortc::io {
namespace {

constexpr int max_datagrams_a_turn = 64;

// A look at the links is not to be had for each datagram of a flood.
constexpr base::duration links_age = std::chrono::seconds(1);

/// The index of the interface that has the address; 0 where none has.
unsigned find_interface(const base::ip_address& address) {
  for (const auto& each : list_system_addresses()) {
    if (each.address == address) return each.interface;
  }
  return 0;
}

}  // namespace

/// A socket of one family, alive until its last wait has completed.
struct mdns_service::channel {
  channel(const guarded_strand::strand_type& strand, multicast_socket opened)
      : family(opened.family),
        interfaces(std::move(opened.interfaces)),
        descriptor(strand, opened.fd.release()) {}

  ip_family family;
  std::vector<unsigned> interfaces;
  boost::asio::posix::basic_stream_descriptor<guarded_strand::strand_type> descriptor;
};

std::shared_ptr<mdns_service> mdns_service::create(const boost::asio::any_io_executor& executor,
                                                   base::logger log) {
  std::shared_ptr<mdns_service> made(new mdns_service(executor, std::move(log)));
  made->watch_context(executor);
  return made;
}

mdns_service::mdns_service(const boost::asio::any_io_executor& executor, base::logger log)
    : log_(log.named("mdns")), strand_(executor), querier_(log), responder_(log) {}

mdns_service::~mdns_service() = default;

std::shared_ptr<mdns_service> mdns_service::self() {
  return std::static_pointer_cast<mdns_service>(shared_from_this());
}

std::uint64_t mdns_service::resolve(std::string name, callback done) {
  const std::uint64_t token = ++last_token_;
  strand_.post([self = self(), token, name = std::move(name), done = std::move(done)]() mutable {
    self->start(token, name, std::move(done));
  });
  return token;
}

void mdns_service::cancel(std::uint64_t token) {
  strand_.post([self = self(), token] {
    const auto it = self->wishes_.find(token);
    if (it == self->wishes_.end()) return;
    self->querier_.cancel(it->second.id);
    self->wishes_.erase(it);
    self->update();
  });
}

void mdns_service::start(std::uint64_t token, const std::string& name, callback done) {
  const auto id = querier_.resolve(clock_now(), name);
  wishes_.emplace(token, wish{id, std::move(done)});
  update();
}

mdns_service::held_name mdns_service::hide(const base::ip_address& address) {
  const std::lock_guard lock(hidden_mutex_);
  std::erase_if(hidden_, [](const auto& entry) { return entry.second.expired(); });
  if (auto known = hidden_[address].lock()) return known;
  const auto let_go = [weak = std::weak_ptr(self())](const std::string* name) {
    const std::unique_ptr<const std::string> last(name);
    const auto service = weak.lock();
    if (!service) return;
    service->strand_.post([service, name = *last] { service->stop_answering(name); });
  };
  held_name made(new std::string(mdns::make_random_name(crypto::system_random())), let_go);
  hidden_[address] = made;
  strand_.post([self = self(), name = *made, address, interface = find_interface(address)] {
    self->start_answering(name, address, interface);
  });
  return made;
}

void mdns_service::start_answering(std::string name, const base::ip_address& address,
                                   unsigned interface) {
  open();
  for (const auto& each : channels_) {
    // It may have come after the socket was opened.
    if (interface != 0 &&
        std::ranges::find(each->interfaces, interface) == each->interfaces.end() &&
        join_group(each->descriptor.native_handle(), each->family, interface)) {
      each->interfaces.push_back(interface);
    }
  }
  if (channels_.empty()) {
    log_(log_level::warning, [] { return "no multicast socket: nobody can find what is hidden"; });
  }
  responder_.add(std::move(name), address, interface);
  update();
}

void mdns_service::stop_answering(const std::string& name) {
  responder_.remove(clock_now(), name);
  update();
}

void mdns_service::update() {
  while (const auto query = querier_.poll_transmit()) {
    open();
    for (const auto& to : channels_) {
      send_to_group(to->descriptor.native_handle(), to->family, to->interfaces, *query);
    }
  }
  while (const auto response = responder_.poll_transmit()) send(*response);
  deliver();
  if (querier_.idle() && responder_.idle()) {
    close();
  } else {
    arm();
  }
}

void mdns_service::send(const mdns::response& response) {
  for (const auto& over : channels_) {
    const int fd = over->descriptor.native_handle();
    if (response.to) {
      const bool fits = response.to->address.is_v6() == (over->family == ip_family::v6);
      if (fits) send_to_host(fd, *response.to, response.bytes);
    } else if (response.interface == 0) {
      send_to_group(fd, over->family, over->interfaces, response.bytes);
    } else {
      send_to_group(fd, over->family, std::span(&response.interface, 1), response.bytes);
    }
  }
}

void mdns_service::deliver() {
  while (auto event = querier_.poll_event()) {
    const auto it = std::find_if(wishes_.begin(), wishes_.end(),
                                 [&](const auto& entry) { return entry.second.id == event->id; });
    if (it == wishes_.end()) continue;
    const callback done = std::move(it->second.done);
    wishes_.erase(it);
    done(std::move(event->addresses));
  }
}

void mdns_service::open() {
  if (!channels_.empty()) return;
  for (const auto family : {ip_family::v4, ip_family::v6}) {
    auto opened = open_multicast_socket(family);
    if (!opened) continue;
    channels_.push_back(std::make_shared<channel>(strand_.get(), std::move(*opened)));
    listen(channels_.back());
  }
}

void mdns_service::close() noexcept {
  for (const auto& open : channels_) {
    boost::system::error_code ignored;
    open->descriptor.close(ignored);
  }
  channels_.clear();
  timer_.reset();
}

void mdns_service::listen(const std::shared_ptr<channel>& from) {
  from->descriptor.async_wait(boost::asio::posix::descriptor_base::wait_read,
                              [self = self(), from](boost::system::error_code error) {
                                if (error || !from->descriptor.is_open()) return;
                                self->receive(*from);
                                self->update();
                                if (from->descriptor.is_open()) self->listen(from);
                              });
}

void mdns_service::receive(channel& from) {
  std::array<std::uint8_t, mdns::max_message_size> buffer;
  for (int i = 0; i < max_datagrams_a_turn; ++i) {
    const auto datagram = receive_from_group(from.descriptor.native_handle(), buffer);
    if (!datagram) return;
    const auto now = clock_now();
    const bool on_link = is_on_link(now, *datagram);
    // RFC 6762 11: what came by the group is of the link, whatever its source; what was sent to us
    // alone only if its source is.
    if (!datagram->to_group && !on_link) {
      ++off_link_;
      continue;
    }
    querier_.handle_datagram(now, datagram->bytes, datagram->from);
    if (!datagram->to_group) continue;
    responder_.handle_datagram(now, datagram->bytes, datagram->from, datagram->interface, on_link);
  }
}

bool mdns_service::is_on_link(base::time_point now, const group_datagram& datagram) {
  if (now >= links_known_until_) {
    links_ = list_system_addresses();
    links_known_until_ = now + links_age;
  }
  return io::is_on_link(links_, datagram.from.address, datagram.interface);
}

void mdns_service::arm() {
  const auto deadline = std::min(querier_.next_deadline(), responder_.next_deadline());
  if (deadline == base::never) return;
  if (!timer_) timer_ = std::make_unique<boost::asio::steady_timer>(strand_.get());
  timer_->expires_at(deadline);
  timer_->async_wait([self = self()](boost::system::error_code error) {
    if (error || !self->timer_) return;
    const auto now = clock_now();
    self->querier_.handle_timeout(now);
    self->responder_.handle_timeout(now);
    self->update();
  });
}

void mdns_service::on_context_shutdown() noexcept {
  const auto dropped = std::exchange(wishes_, {});
  close();
  strand_.drop();
}

}  // namespace asiortc::io
