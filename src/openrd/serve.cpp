#include "openrd/serve.hpp"

#include "audit/sealer.hpp"
#include "delivery/dispatcher.hpp"
#include "delivery/inbox.hpp"
#include "openrd/data.hpp"
#include "openrd/endpoint.hpp"
#include "openrd/failure.hpp"
#include "openrd/process.hpp"
#include "phone/numbering.hpp"
#include "pipeline/pipeline.hpp"
#include "sandbox/control.hpp"

#include <cstdio>
#include <fstream>
#include <future>
#include <memory>
#include <optional>
#include <sstream>

namespace openrd {
namespace {

// Together with what follows less than the ten seconds that SIGTERM gives.
constexpr std::int64_t drain_ms = 7'000;

// The control endpoints, and the API for everything else.
class Router final : public pipeline::Handler {
  public:
    Router(pipeline::Handler& control, pipeline::Handler& api) : control_(control), api_(api) {}
    void handle(const pipeline::Request& request, pipeline::Done done) override { (sandbox::is_control(request.target) ? control_ : api_).handle(request, std::move(done)); }

  private:
    pipeline::Handler& control_;
    pipeline::Handler& api_;
};

// All that lives while the server does, in the order in which it is made; it goes in the other one.
class Running {
  public:
    Running(const ServeOptions& options, Data data, const phone::Numbering& numbering);
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    // Ends what has begun, in at most ten seconds.
    ~Running();

    void start();
    // Once a second.
    void housekeep();
    std::string address() const { return written({.address = server_.address(), .port = server_.port()}); }

  private:
    void pause();
    void forget();

    const base::Settings settings_;
    base::Clock clock_;
    Data data_;
    delivery::Inbox inbox_;
    delivery::InboxChannel channel_{inbox_};
    delivery::Dispatcher dispatcher_;
    audit::Sealer sealer_;
    pipeline::Pipeline pipeline_;
    sandbox::Gate gate_{pipeline_};
    sandbox::Reset reset_;
    sandbox::Control control_;
    Router router_{control_, gate_};
    net::Server server_;
};

Running::Running(const ServeOptions& options, Data data, const phone::Numbering& numbering)
    : settings_(options.settings), data_(std::move(data)), dispatcher_(*data_.engine, data_.ring, clock_, {&channel_}),
      sealer_(*data_.engine, data_.ring, clock_,
              {.origin = data_.audit_origin, .interval_ms = settings_.audit.checkpoint_interval_ms, .may_begin_anew = settings_.sandbox, .report = {}}),
      pipeline_(*data_.engine, data_.ring, numbering, clock_, settings_), reset_({.engine = *data_.engine,
                                                                                  .ring = data_.ring,
                                                                                  .clock = clock_,
                                                                                  .gate = gate_,
                                                                                  .audit_origin = data_.audit_origin,
                                                                                  .in_flight = [this] { return pipeline_.in_flight(); },
                                                                                  .pause = [this] { pause(); },
                                                                                  .forget = [this] { forget(); },
                                                                                  .resume = [this] { dispatcher_.start(); }}),
      control_(
          {.sandbox = settings_.sandbox,
           .listen_address = options.listen.address,
           .engine = *data_.engine,
           .clock = clock_,
           .inbox = inbox_,
           .reset = reset_,
           .clock_moved = [this] { dispatcher_.wake(); },
           .troubles = [this] { return sealer_.halted() ? std::vector<std::string>{"The audit log is not sealed any more: see the server's log."} : std::vector<std::string>{}; }}),
      server_(options.listen, router_, settings_, clock_, [this] { data_.engine->idle(); }) {}

void Running::start() {
    server_.start();
    dispatcher_.start();
    sealer_.start();
}

void Running::housekeep() {
    try {
        pipeline_.housekeep();
    } catch (const std::exception& error) { base::log::warning("housekeeping failed", {{"reason", error.what()}}); }
    data_.engine->idle();
}

void Running::pause() {
    control_.end_waits();
    dispatcher_.stop();
}

void Running::forget() {
    inbox_.clear();
    pipeline_.forget();
    sealer_.reset();
}

Running::~Running() {
    control_.drain();
    server_.drain(drain_ms);
    reset_.stop();
    dispatcher_.stop();
    pipeline_.flush();
    sealer_.stop();
    data_.engine->close();
}

// The operator's table when it is newer than the built-in one.
std::unique_ptr<const phone::Numbering> read_numbering(const std::string& path) {
    if (path.empty()) return nullptr;
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) throw Failure("--numbering " + path + ": it cannot be read");
    std::unique_ptr<const phone::Numbering> table;
    try {
        table = std::make_unique<const phone::Numbering>(phone::Numbering::parse(text.view()));
    } catch (const std::runtime_error& error) { throw Failure("--numbering " + path + ": " + error.what()); }
    const auto& built_in = phone::Numbering::built_in();
    if (table->released() > built_in.released()) return table;
    base::log::warning("the numbering file is not newer than the built-in table, which is used", {{"file", table->released()}, {"built_in", built_in.released()}});
    return nullptr;
}

// Beside the database's own start: the table is big, and nobody needs it before the first request.
std::future<const phone::Numbering*> begin_numbering(const phone::Numbering* own) {
    return std::async(std::launch::async, [own] { return own ? own : &phone::Numbering::built_in(); });
}

}  // namespace

int serve(const ServeOptions& options) {
    forbid_core_dumps();
    allow_many_connections();
    base::log::set_level(options.log_level);
    const Signals signals;
    ReadyFile ready_file(options.ready_file);
    try_to_listen(options.listen);
    const auto own_numbering = read_numbering(options.settings.numbering_file);
    auto numbering = begin_numbering(own_numbering.get());

    std::optional<PrivateDirectory> memory;
    if (options.memory) memory.emplace();
    const DataPlace place{.directory = memory ? memory->path() : options.data_directory, .key_file = options.key_file, .url = options.database_url};
    auto data = open_sandbox_data(place, !options.memory, options.settings, base::Clock());
    std::optional<ServerLock> lock;
    if (place.url.empty()) lock.emplace(place.directory);
    {
        Running running(options, std::move(data), *numbering.get());
        running.start();
        const auto address = running.address();
        std::printf("openrd is ready on http://%s\n", address.c_str());
        std::fflush(stdout);
        ready_file.write(address);
        base::log::info("ready", {{"address", address}});
        while (!signals.wait(base::second_ms)) running.housekeep();
        base::log::info("stopping");
        ready_file.remove();
    }
    base::log::info("stopped");
    return 0;
}

}  // namespace openrd
