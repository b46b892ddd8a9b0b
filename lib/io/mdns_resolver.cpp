#include "io/mdns_resolver.hpp"

#include "io/clock.hpp"
#include "io/socket_address.hpp"
#include "mdns/message.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace asiortc::io {
namespace {

constexpr int max_datagrams_a_turn = 64;

}  // namespace

/// A socket of one family, alive until its last wait has completed.
struct mdns_resolver::channel {
  channel(const guarded_strand::strand_type& strand, multicast_socket opened)
      : family(opened.family),
        interfaces(std::move(opened.interfaces)),
        descriptor(strand, opened.fd.release()) {}

  ip_family family;
  std::vector<unsigned> interfaces;
  boost::asio::posix::basic_stream_descriptor<guarded_strand::strand_type> descriptor;
};

std::shared_ptr<mdns_resolver> mdns_resolver::create(const boost::asio::any_io_executor& executor,
                                                     base::logger log) {
  std::shared_ptr<mdns_resolver> made(new mdns_resolver(executor, std::move(log)));
  made->watch_context(executor);
  return made;
}

mdns_resolver::mdns_resolver(const boost::asio::any_io_executor& executor, base::logger log)
    : strand_(executor), querier_(std::move(log)) {}

mdns_resolver::~mdns_resolver() = default;

std::shared_ptr<mdns_resolver> mdns_resolver::self() {
  return std::static_pointer_cast<mdns_resolver>(shared_from_this());
}

std::uint64_t mdns_resolver::resolve(std::string name, callback done) {
  const std::uint64_t token = ++last_token_;
  strand_.post([self = self(), token, name = std::move(name), done = std::move(done)]() mutable {
    self->start(token, name, std::move(done));
  });
  return token;
}

void mdns_resolver::cancel(std::uint64_t token) {
  strand_.post([self = self(), token] {
    const auto it = self->wishes_.find(token);
    if (it == self->wishes_.end()) return;
    self->querier_.cancel(it->second.id);
    self->wishes_.erase(it);
    self->update();
  });
}

void mdns_resolver::start(std::uint64_t token, const std::string& name, callback done) {
  const auto id = querier_.resolve(clock_now(), name);
  wishes_.emplace(token, wish{id, std::move(done)});
  update();
}

void mdns_resolver::update() {
  while (const auto query = querier_.poll_transmit()) {
    open();
    for (const auto& to : channels_) {
      send_to_group(to->descriptor.native_handle(), to->family, to->interfaces, *query);
    }
  }
  deliver();
  if (querier_.idle()) {
    close();
  } else {
    arm();
  }
}

void mdns_resolver::deliver() {
  while (auto event = querier_.poll_event()) {
    const auto it = std::find_if(wishes_.begin(), wishes_.end(),
                                 [&](const auto& entry) { return entry.second.id == event->id; });
    if (it == wishes_.end()) continue;
    const callback done = std::move(it->second.done);
    wishes_.erase(it);
    done(std::move(event->addresses));
  }
}

void mdns_resolver::open() {
  if (!channels_.empty()) return;
  for (const auto family : {ip_family::v4, ip_family::v6}) {
    auto opened = open_multicast_socket(family);
    if (!opened) continue;
    channels_.push_back(std::make_shared<channel>(strand_.get(), std::move(*opened)));
    listen(channels_.back());
  }
}

void mdns_resolver::close() noexcept {
  for (const auto& open : channels_) {
    boost::system::error_code ignored;
    open->descriptor.close(ignored);
  }
  channels_.clear();
  timer_.reset();
}

void mdns_resolver::listen(const std::shared_ptr<channel>& from) {
  from->descriptor.async_wait(boost::asio::posix::descriptor_base::wait_read,
                              [self = self(), from](boost::system::error_code error) {
                                if (error || !from->descriptor.is_open()) return;
                                self->receive(*from);
                                self->update();
                                if (from->descriptor.is_open()) self->listen(from);
                              });
}

void mdns_resolver::receive(channel& from) {
  std::array<std::uint8_t, mdns::max_message_size> buffer;
  for (int i = 0; i < max_datagrams_a_turn; ++i) {
    socket_address sender;
    socklen_t size = socket_address::capacity();
    const auto length = ::recvfrom(from.descriptor.native_handle(), buffer.data(), buffer.size(),
                                   MSG_DONTWAIT, sender.data(), &size);
    if (length < 0) return;
    const base::byte_span data(buffer.data(), static_cast<std::size_t>(length));
    querier_.handle_datagram(clock_now(), data, sender.to_endpoint());
  }
}

void mdns_resolver::arm() {
  const auto deadline = querier_.next_deadline();
  if (deadline == base::never) return;
  if (!timer_) timer_ = std::make_unique<boost::asio::steady_timer>(strand_.get());
  timer_->expires_at(deadline);
  timer_->async_wait([self = self()](boost::system::error_code error) {
    if (error || !self->timer_) return;
    self->querier_.handle_timeout(clock_now());
    self->update();
  });
}

void mdns_resolver::on_context_shutdown() noexcept {
  const auto dropped = std::exchange(wishes_, {});
  close();
  strand_.drop();
}

}  // namespace asiortc::io
