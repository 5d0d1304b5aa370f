//! The loop: events, time and reports become messages, the model becomes frames. Terminal, events and
//! signals are parameters, so tests drive this very loop.

use std::io;

use crossterm::event::Event;
use ratatui::{Terminal, backend::Backend};
use tokio::{
    sync::mpsc::{Receiver, UnboundedReceiver},
    time::{Instant, sleep_until},
};

use super::{
    draw::draw,
    effect::Effect,
    input,
    message::{Message, Moment},
    model::{Ending, Model},
    runner::{Report, Runner},
};

/// Most events taken before the next frame: a pasted megabyte without brackets is many.
const AT_ONCE: usize = 4_096;

/// What the system wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// The end, with this exit code.
    End(u8),
    /// Back to the shell.
    Suspend,
}

/// What only a real terminal can do.
pub trait Host<B: Backend> {
    /// Puts text on the clipboard, if the terminal takes it.
    fn copy(&mut self, terminal: &mut Terminal<B>, text: &str);
    /// Gives the terminal back, stops, and takes it again when the shell wants so.
    fn suspend(&mut self, terminal: &mut Terminal<B>);
    /// A frame begins or ends: it should appear in one piece.
    fn frame(&mut self, terminal: &mut Terminal<B>, begins: bool);
}

/// What the terminal reported, and when.
pub type Arrived = (Instant, io::Result<Event>);

/// All that the loop needs.
pub struct Loop<B: Backend> {
    /// Where frames are drawn.
    pub terminal: Terminal<B>,
    /// What only a real terminal can do.
    pub host: Box<dyn Host<B> + Send>,
    /// What the terminal reports; its end is the end of the terminal.
    pub events: Receiver<Arrived>,
    /// What the system wants.
    pub wishes: Receiver<Wish>,
    /// The model at the beginning.
    pub model: Model,
    /// What is to be done first.
    pub effects: Vec<Effect>,
    /// Who does it.
    pub runner: Runner,
    /// Where work reports.
    pub reports: UnboundedReceiver<Report>,
    /// When the program began.
    pub began: Instant,
}

/// The exit code when the terminal went away, as after SIGHUP.
const HUNG_UP: u8 = 129;

impl<B: Backend> Loop<B> {
    /// Draws the first frame, before anything is asked of anybody.
    pub fn first_frame(&mut self) -> Result<(), B::Error> {
        self.draw()
    }

    fn draw(&mut self) -> Result<(), B::Error> {
        self.host.frame(&mut self.terminal, true);
        let drawn = self.terminal.draw(|frame| draw(&self.model, frame)).map(|_| ());
        self.host.frame(&mut self.terminal, false);
        drawn
    }
}

impl<B: Backend> Loop<B> {
    /// Runs until somebody leaves.
    pub async fn run(mut self) -> Result<Ending, B::Error> {
        for effect in std::mem::take(&mut self.effects) {
            self.runner.begin(effect);
        }
        self.draw()?;
        let mut hung_up = false;
        loop {
            if let Some(ending) = self.model.ended() {
                return Ok(ending.clone());
            }
            let wake = self.model.wakes_at().map(|at| self.began + at);
            let sleep = async {
                match wake {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let redraw = tokio::select! {
                biased;
                Some(wish) = self.wishes.recv() => self.wished(wish),
                event = self.events.recv(), if !hung_up => match event {
                    Some((at, Ok(event))) => self.take(at, event),
                    // Nobody is there any more: the same as a lost connection.
                    Some((_, Err(_))) | None => {
                        hung_up = true;
                        self.update(Message::Signal(HUNG_UP))
                    }
                },
                Some(report) = self.reports.recv() => self.reported(report),
                () = sleep => self.update(Message::Clock),
            };
            let drawn = if redraw { self.draw_anew() } else { self.draw() };
            if drawn.is_err() && !hung_up {
                hung_up = true;
                self.update(Message::Signal(HUNG_UP));
            }
        }
    }

    fn wished(&mut self, wish: Wish) -> bool {
        match wish {
            Wish::End(exit) => self.update(Message::Signal(exit)),
            Wish::Suspend => self.suspend(),
        }
    }

    /// Back to the shell for a while. The window may have another size afterwards, and nobody told us.
    fn suspend(&mut self) -> bool {
        self.host.suspend(&mut self.terminal);
        if let Ok(size) = self.terminal.size() {
            self.update(Message::Resized(size));
        }
        true
    }

    /// Takes an event and those behind it that are there already, so that one frame serves them all.
    fn take(&mut self, at: Instant, first: Event) -> bool {
        let mut redraw = self.event(at, first);
        for _ in 1..AT_ONCE {
            match self.events.try_recv() {
                Ok((at, Ok(event))) => redraw |= self.event(at, event),
                _ => break,
            }
        }
        redraw
    }

    fn event(&mut self, at: Instant, event: Event) -> bool {
        let at = at.saturating_duration_since(self.began);
        let message = input::message(&self.model, event);
        message.is_some_and(|message| self.update_at(at, message))
    }

    fn reported(&mut self, report: Report) -> bool {
        let mut redraw = self.report(report);
        for _ in 1..AT_ONCE {
            match self.reports.try_recv() {
                Ok(report) => redraw |= self.report(report),
                Err(_) => break,
            }
        }
        redraw
    }

    fn report(&mut self, mut report: Report) -> bool {
        self.runner.hold(&mut report);
        self.update(Message::Happened(report.job, report.happened))
    }

    /// Gives the model a message and begins what it wants; says whether all is to be drawn anew.
    fn update(&mut self, message: Message) -> bool {
        self.update_at(self.began.elapsed(), message)
    }

    fn update_at(&mut self, now: Moment, message: Message) -> bool {
        let mut redraw = false;
        for effect in self.model.update(now, message) {
            match effect {
                Effect::CopyByTerminal(text) => self.host.copy(&mut self.terminal, text.expose()),
                Effect::Redraw => redraw = true,
                Effect::Suspend => redraw |= self.suspend(),
                effect => self.runner.begin(effect),
            }
        }
        redraw
    }

    fn draw_anew(&mut self) -> Result<(), B::Error> {
        // Not `clear`: that asks the terminal where its cursor is, and one that does not answer is no
        // reason to end.
        let area = self.terminal.size()?.into();
        self.terminal.resize(area)?;
        self.draw()
    }
}
