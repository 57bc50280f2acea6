#pragma once

#include <memory>
#include <optional>

namespace quicchat {

/// Something that takes long, with all that it needs. It may outlive who asked for it.
class LongTask {
public:
    LongTask() = default;
    LongTask(const LongTask&) = delete;
    LongTask& operator=(const LongTask&) = delete;
    virtual ~LongTask() = default;

    /// On whichever thread.
    virtual void run() = 0;
};

/// Runs long tasks where they hold up nobody, for one that asks. See BackgroundThreads; a test
/// decides itself when a task is done.
///
/// Beyond the signatures it promises that
///  - a task is touched by nobody else from `begin` until `poll_done` returned it;
///  - its end drops the tasks that were not begun, and waits for none.
class Background {
public:
    virtual ~Background() = default;

    /// Returns at once, unless there is no thread left: then it runs the task itself. Tasks of one
    /// that asks may run at the same time and end in any order.
    virtual void begin(std::shared_ptr<LongTask> task) = 0;

    /// A task that was run, or nullptr. If there is none, `wake_fd` is quiet again.
    virtual std::shared_ptr<LongTask> poll_done() = 0;

    /// Readable while `poll_done` may have one; always the same. Nothing: ask at every turn.
    virtual std::optional<int> wake_fd() const { return std::nullopt; }

protected:
    Background() = default;
    /// Models are copied as themselves, never through the interface.
    /// @{
    Background(const Background&) = default;
    Background& operator=(const Background&) = default;
    /// @}
};

}  // namespace quicchat
