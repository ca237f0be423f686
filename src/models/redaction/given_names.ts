/** Given names that are hardly ever anything else, from many languages, in their usual Latin spelling. */
const PLAIN =
  "Aaron Abdul Abdullah Abigail Adam Adele Adrian Adriana Agnieszka Agnes Ahmed Ahmet Aisha Akira Alan Alberto Alejandra Alejandro Aleksandra " +
  "Alessandra Alessandro Alexander Alexandra Alexandre Alexei Alfred Alfredo Ali Alice Alicia Alina Aline Alison Allison Amanda Amelia Amelie Amina " +
  "Amir Amit Ana Anastasia Andrea Andreas Andrei Andrés Andrew Andrzej Aneta Angela Angelika Anil Anita Anjali Anke Anna Annabelle Anne Annette Annika Antoine Anton " +
  "Antonia Antonio António Antje Aoife Arjun Arnaud Arthur Asha Astrid Aurélie Axel Ayesha Ayşe Barbara Bartosz Beatrice Beatriz Benedikt Benjamin " +
  "Benoît Bernard Bernd Bernhard Bianca Birgit Björn Bogdan Boris Brandon Brenda Brian Bridget Britta Bruno Camila Camille Carla Carlos Carmen Carol " +
  "Carolina Caroline Catarina Catherine Cecilia Cécile Céline Charles Chiara Chloe Chloé Christiane Christina Christine Christoph Christophe Christopher " +
  "Claire Clara Claudia Claudio Clément Colin Cristina Cynthia Dagmar Damien Daniel Daniela Daniele Danielle Dariusz David Davide Debbie Deborah Deepak Denis Dennis " +
  "Derek Diana Diane Diego Dieter Dietmar Dimitri Dmitri Dmitry Dominik Dominique Donald Dorothea Doris Dorothy Douglas Duncan Dylan Eduardo Edward Ekaterina " +
  "Elena Eleni Eleanor Élodie Elisa Elisabeth Elise Elizabeth Elke Ellen Elliot Elsa Emanuel Emil Emilia Emily Emine Emma Emmanuel Enrico Enrique Eric Erik Erika " +
  "Ernesto Esther Ethan Eugene Eva Evelyn Ewa Fabian Fabio Farah Fatima Federico Felipe Felix Ferdinand Fernanda Fernando Filip Fiona Florian Franco François " +
  "Françoise Franz Franziska Fredrik Friedrich Gabriel Gabriela Gabriele Gareth Gary Geoffrey George Georg Gerald Gerard Gerhard Giorgio Giovanni Gisela Giulia " +
  "Giuseppe Gloria Goran Gordon Grażyna Gregor Gregory Grzegorz Guillaume Guillermo Günter Günther Gustavo Hannah Hannes Hans Harald Haruto Hasan Hassan Heather " +
  "Hector Heidi Heike Heinrich Heinz Helen Helena Helga Helmut Henri Henrik Henry Herbert Hermann Hiroshi Holger Horst Howard Hugo Hussein Ibrahim Ignacio Igor Imran " +
  "Ines Inés Ingo Ingrid Irena Irene Irina Isaac Isabel Isabella Isabelle Ismail Ivan Ivana Jacek Jacob Jacqueline Jacques Jakob Jakub James Jan Jana Jane Janet " +
  "Janine Jasmin Jason Javier Jean Jeffrey Jennifer Jens Jeremy Jérôme Jessica Jesús Joachim Joanna Joao João Jochen Joel Johan Johanna Johannes John Jonas Jonathan " +
  "Jörg Jorge José Joseph Joshua Josef Juan Juana Julia Julian Julie Julien Juliette Jürgen Justyna Kai Kamil Kareem Karen Karim Karin Karina Karl Karolina Katarina " +
  "Katarzyna Kate Katharina Katherine Kathrin Kathleen Katja Katrin Kazuki Keiko Keith Kelly Kenneth Kenji Kerstin Kevin Khalid Kirsten Klaus Konrad Konstantin " +
  "Krzysztof Kristina Kumar Lars Larissa Laura Laurent Lauren Lea Léa Leila Lena Leon Leonardo Leticia Liam Linda Linnea Lisa Lorenzo Louis Louise Luca Lucas Lucia Lucía " +
  "Lucie Ludwig Luigi Luis Luís Luisa Łukasz Lukas Luke Lydia Maciej Magdalena Magnus Mahmoud Malgorzata Małgorzata Manfred Manuel Manuela Marc Marcel Marcelo Marcin " +
  "Marco Marcos Marcus Marek Margaret Margarita Maria María Mariana Marianne Marie Mariam Marina Mario Marion Marius Markus Marlene Marta Martha Martin Martina Mary " +
  "Masashi Mateo Mateusz Mathieu Mathilde Matteo Matthew Matthias Maurice Mauricio Max Maximilian Maya Megan Mehmet Meike Melanie Melissa Meera Mia Michael Michaela " +
  "Michał Michel Michele Michelle Miguel Mikael Mike Mikhail Milan Mirjam Miriam Mohamed Mohammad Mohammed Mónica Monica Monika Monique Moritz Mustafa Nadia Nadine " +
  "Naomi Natalia Natalie Natascha Natasha Nathalie Nathan Neha Nicholas Nick Nicola Nicolas Nicole Niklas Nikolai Nikos Nina Noah Noémie Nora Norbert Oksana Olaf Ole Olga Oliver " +
  "Olivia Olivier Omar Oscar Oskar Pablo Pascal Patricia Patrick Patrik Paul Paula Paulo Pauline Paweł Pedro Peter Petra Philip Philipp Philippe Phillip Pierre Piotr " +
  "Priya Rachel Rachid Rafael Raffaele Rahul Rainer Raj Rajesh Ralf Ralph Ramon Ramón Raphael Raquel Ravi Raymond Rebecca Regina Reinhard Renata Renate René Ricardo Riccardo " +
  "Richard Rita Robert Roberta Roberto Rodrigo Roger Roland Rolf Roman Ronald Rosa Rosalie Rosemary Rudolf Ruth Ryan Sabine Sabrina Sakura Samantha Samir Samuel Sandra Sandrine Sanjay Sara Sarah " +
  "Sascha Sato Sebastian Sébastien Serena Sergei Sergey Sergio Shannon Sharon Shirley Siegfried Sigrid Silke Silvia Simon Simone Simona Sinéad Siobhán Sofia Sofía Sonia Sonja " +
  "Sophia Sophie Stefan Stefania Stefanie Steffen Stephan Stephanie Stéphane Stephen Steve Steven Stuart Sunita Suresh Susan Susana Susanne Suzanne Svenja Svetlana Sven Sylvia " +
  "Sylvie Takashi Tamara Tanja Tatiana Teresa Theo Theodore Theresa Thierry Thomas Thorsten Tiago Tim Timo Timothy Tobias Tomás Tomasz Tom Toni Tony Torsten Tracey Tracy Ulrich " +
  "Ulrike Ursula Ute Valentina Valérie Vanessa Vera Verena Veronica Véronique Vicente Victor Viktor Viktoria Vijay Vikram Vincent Viola Vladimir Volker Waldemar Walter " +
  "Waltraud Wayne Wendy Werner Wilhelm William Wojciech Wolfgang Xavier Yannick Yasmin Yosef Yuki Yuri Yusuf Yvonne Zofia Zoe Zoë Zuzanna " +
  "Анна Мария Елена Ольга Наталья Екатерина Татьяна Ирина Светлана Юлия Дмитрий Алексей Сергей Андрей Александр Александра Иван Михаил Николай Владимир Павел Максим";

/** Given names that are also words, places or months: names only where more than the word itself says so. */
const DOUBLE =
  "Amber April August Austin Autumn Bill Bob Brooke Charlotte Chase Chelsea Christian Crystal Dakota Dawn Dean Diamond Dick Drew Earl Eden Ernest Faith Florence Frank " +
  "Georgia Ginger Grace Grant Guy Harmony Harry Hazel Holly Hope Hunter Iris Ivy Jack Jade Jasmine Jesse Jim Joe Jordan Joy Judy June Kay Ken Kim Lance Laurel Lily Lincoln Lou " +
  "Madison Marina Mark Mason May Melody Mercedes Miles Milo Mina Nancy Nelson Olive Paris Pat Pearl Penny Pierce Ray Rich Rob Robin Rose Rosie Ruby Sam Sandy Savannah Scott " +
  "Sienna Sierra Sky Sofie Stella Sue Summer Sydney Terry Tyler Victoria Violet Virginia Warren Will Willow Yuan Wei Li Chen Ming Jing Mei Min Jun Ida Art Angel Alba Luz Mercedes " +
  "Dolores Pilar Consuelo Concepción Santiago Salvador Valencia Asunción Blanca Rosario Ernst Wolf Falk Horst Heide Linde Rainer Claus Marin Clémence Aimée";

const plain = new Set(PLAIN.split(" "));
const double = new Set(DOUBLE.split(" "));

export const isGivenName = (word: string): boolean => plain.has(word) && !double.has(word);
export const isDoubleName = (word: string): boolean => double.has(word);
